// wait_group: wait until a number of things are done.
//
//     fibers::wait_group copies;
//     copies.add(2);                        // one done() is expected of each of two fibers
//     ...
//     copies.wait();                        // parks until both have called copies.done()
//
// It only counts. For fibers of your own, which may fail, use a nursery.
#pragma once

#include <fibers/wait_queue.hpp>

#include <cstddef>

namespace fibers {

class wait_group {
 public:
  wait_group() = default;
  wait_group(const wait_group&) = delete;
  wait_group& operator=(const wait_group&) = delete;

  void add(std::size_t things = 1) noexcept { expected_ += things; }

  // Counts one thing as done. The last one wakes all fibers that wait; then the group can be used
  // again. Precondition: expected() is not 0.
  void done() noexcept;

  std::size_t expected() const noexcept { return expected_; }

  // Waits until nothing is expected; returns at once if nothing is. Throws `cancelled` if the fiber
  // is cancelled first.
  void wait() { wait_by(never); }

  // The same with a deadline. False: the deadline passed first.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(const std::chrono::duration<Rep, Period>& duration) {
    return wait_by(deadline_after(duration));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool wait_until(const std::chrono::time_point<Clock, Duration>& moment) {
    return wait_by(deadline_at(moment));
  }

 private:
  bool wait_by(clock::time_point deadline);

  wait_queue waiting_;
  std::size_t expected_ = 0;
};

}  // namespace fibers
