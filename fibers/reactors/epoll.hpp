// epoll_reactor: every descriptor is registered once, edge-triggered, for reading; for writing too
// when for the first time there was no room. A listener that is accepted from is level-triggered.
#pragma once

#include <fibers/reactors/readiness.hpp>

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
  int wait(bool sleeps, operation_list& finished) override;

  int epoll_;

  // As many as one wait tells of. All of them are tried before the first fiber runs: with 256 what
  // they received has left the nearest cache by then, with 16 there are more waits than it gains.
  std::array<epoll_event, 64> events_;
};

}  // namespace fibers
