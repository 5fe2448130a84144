// timer_descriptor: a deadline that a reactor waits for as it waits for a descriptor (a timerfd).
//
//     timer_descriptor timer;
//     if (timer.arm(deadline)) ...          // before a wait that may sleep
//     ... timer.get() is readable: timer.rang() ...
//
// The timeouts of select, poll and epoll_wait need no descriptor, but the kernel may extend them by
// the timer slack (prctl(2), PR_SET_TIMERSLACK): 50 us, or a thousandth of the timeout if that is
// more. A timerfd has no slack. It also stays armed from one wait to the next, so a deadline costs
// a system call when it changes, and not each time the loop goes to sleep.
#pragma once

#include <chrono>

namespace fibers {

class timer_descriptor {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // Throws boost::system::system_error.
  timer_descriptor();
  timer_descriptor(const timer_descriptor&) = delete;
  timer_descriptor& operator=(const timer_descriptor&) = delete;
  ~timer_descriptor();

  int get() const noexcept { return descriptor_; }

  // Makes the descriptor readable at `deadline`, or earlier: an earlier deadline stays armed,
  // because one wake-up too many costs less than a system call for each deadline that is given up.
  // time_point::max() means no deadline. False: `deadline` has passed already.
  bool arm(time_point deadline) noexcept {
    return (deadline >= armed_ && !readable_) || set(deadline);
  }

  // Call this when the descriptor is found readable. It stays readable until it is armed again.
  void rang() noexcept {
    rang_ = armed_;
    armed_ = time_point::max();
    readable_ = true;
  }

  // It has become readable since it was armed, and for an earlier deadline than this one.
  bool rang_before(time_point deadline) const noexcept { return readable_ && rang_ < deadline; }

 private:
  bool set(time_point deadline) noexcept;

  int descriptor_;
  time_point armed_ = time_point::max();
  time_point rang_ = time_point::max();
  bool readable_ = false;
};

}  // namespace fibers
