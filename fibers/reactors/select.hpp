// select: select_reactor, the oldest interface, as fast as the others to some hundred descriptors.
//
// FD_SETSIZE limits the type fd_set, not the system call. The bitmaps here grow to the highest
// descriptor.
#pragma once

#include <fibers/reactors/readiness.hpp>

#include <vector>

namespace fibers {

class select_reactor final : public readiness {
 public:
  select_reactor();

  io backend() const noexcept override { return io::select; }

 private:
  using word = unsigned long;
  using bitmap = std::vector<word>;

  int enroll(int descriptor) noexcept override;
  int wait(bool sleeps, operation_list& finished) override;
  void watch(int descriptor, direction which) noexcept override;
  void unwatch(int descriptor, direction which) noexcept override;
  int fail_closed(operation_list& finished);

  bitmap& wanted(direction which) noexcept {
    return which == direction::read ? wanted_readable_ : wanted_writable_;
  }

  bitmap wanted_readable_, wanted_writable_;  // what pending operations wait for
  bitmap readable_, writable_;                // the copies of them that select() fills in
};

}  // namespace fibers
