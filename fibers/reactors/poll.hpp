// poll: poll_reactor, like select_reactor with a list of descriptors instead of bitmaps.
#pragma once

#include <fibers/reactors/readiness.hpp>

#include <poll.h>

#include <cstddef>
#include <vector>

namespace fibers {

class poll_reactor final : public readiness {
 public:
  poll_reactor();

  io backend() const noexcept override { return io::poll; }

 private:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  int enroll(int descriptor) noexcept override;
  int wait(bool sleeps, operation_list& finished) override;
  void watch(int descriptor, direction which) noexcept override;
  void unwatch(int descriptor, direction which) noexcept override;

  std::vector<pollfd> wanted_;       // what pending operations wait for
  std::vector<pollfd> answers_;      // the copy of it that poll() fills in
  std::vector<std::size_t> places_;  // by descriptor: its index in wanted_
};

}  // namespace fibers
