// epoll_reactor: every descriptor is registered once, edge-triggered, for reading; for writing too
// when for the first time there was no room. A listener that is accepted from is level-triggered.
#pragma once

#include <fibers/readiness.hpp>

#include <sys/epoll.h>

#include <array>

namespace fibers {

class epoll_reactor final : public readiness {
 public:
  epoll_reactor();
  ~epoll_reactor() override;

  io backend() const noexcept override { return io::epoll; }

 private:
  int enroll(int descriptor) noexcept override;
  void watch(int descriptor, direction which) noexcept override;
  void unwatch(int descriptor, direction which) noexcept override;
  void withdraw(int descriptor) noexcept override;
  void wait(std::optional<std::chrono::nanoseconds> timeout, operation_list& finished) override;

  int epoll_;
  std::array<epoll_event, 256> events_;
};

}  // namespace fibers
