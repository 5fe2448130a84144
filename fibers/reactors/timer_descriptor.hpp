// timer_descriptor: a moment that a reactor waits for as it waits for a descriptor.
//
//     timer_descriptor timer;
//     if (timer.arm(deadline)) ...          // before a wait that may sleep
//     ... timer.get() is readable: timer.rang() ...
//
// The time limit of select, poll and epoll_wait would need no descriptor, but the kernel adds a
// slack to it (prctl(2), PR_SET_TIMERSLACK): 50 us, or a thousandth of the wait where that is more.
// A timerfd has none. It also stays armed from one wait to the next, so a deadline costs a system
// call when it changes and not each time the loop goes to sleep.
#pragma once

#include <chrono>

namespace fibers {

class timer_descriptor {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // Throws std::system_error.
  timer_descriptor();
  timer_descriptor(const timer_descriptor&) = delete;
  timer_descriptor& operator=(const timer_descriptor&) = delete;
  ~timer_descriptor();

  int get() const noexcept { return descriptor_; }

  // It becomes readable at `deadline`, or before: an earlier one that was asked for stays in force,
  // since a wake-up too many is cheaper than a system call for each deadline that is given up.
  // time_point::max() is no deadline. False: it has come already.
  bool arm(time_point deadline) noexcept {
    return (deadline >= armed_ && !readable_) || set(deadline);
  }

  // It was found readable. It stays so until it is armed again.
  void rang() noexcept {
    rang_ = armed_;
    armed_ = time_point::max();
    readable_ = true;
  }

  // It has rung since it was armed, and for an earlier deadline than this.
  bool rang_before(time_point deadline) const noexcept { return readable_ && rang_ < deadline; }

 private:
  bool set(time_point deadline) noexcept;

  int descriptor_;
  time_point armed_ = time_point::max();
  time_point rang_ = time_point::max();
  bool readable_ = false;
};

}  // namespace fibers
