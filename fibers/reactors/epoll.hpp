// epoll: epoll_reactor, which registers every descriptor once, edge-triggered.
//
// It registers for reading, and for writing as well once a send has found no room. A listener is
// level-triggered while an accept waits.
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

  // The events that one epoll_wait returns. The operations of all of them are tried before the
  // first fiber runs. With 256 the received bytes have left the L1 cache by then. With 16 the
  // additional epoll_waits cost more than the cache gains.
  std::array<epoll_event, 64> events_;
};

}  // namespace fibers
