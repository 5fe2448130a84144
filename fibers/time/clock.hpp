// clock: the time of the library, which a test can replace.
//
//     const auto begin = fibers::clock::now();
//
// It is std::chrono::steady_clock, and both have one type of time points. On one thread a
// virtual_clock can take its place:
//
//     fibers::clock::time_point now{1h};
//     fibers::virtual_clock in_force{now};
//     now += 24h;                         // clock::now() of this thread is one day later
//
// A program that asks std::chrono::steady_clock itself still gets the real time. Let a program that
// is to be tested in virtual time (test.hpp) ask this clock, or give durations.
#pragma once

#include <chrono>

namespace fibers {

struct clock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr bool is_steady = true;

  static time_point now() noexcept;
};

// The time of the last tick that the kernel has seen (CLOCK_MONOTONIC_COARSE): never ahead of
// clock::now(), and takes less time to read. It is some ticks late, 15 ms on a virtual machine, so
// no deadline may be decided by it.
clock::time_point coarse_now() noexcept;

// While it exists, clock::now() and coarse_now() return `time` on the thread that constructed it.
// That thread destroys it. If there are several, the last constructed one counts. `time` must
// outlive it, and must never be set back.
class virtual_clock {
 public:
  explicit virtual_clock(const clock::time_point& time) noexcept;
  virtual_clock(const virtual_clock&) = delete;
  virtual_clock& operator=(const virtual_clock&) = delete;
  ~virtual_clock();

 private:
  friend struct clock;
  friend clock::time_point coarse_now() noexcept;

  const clock::time_point& time_;
  virtual_clock* older_;  // constructed before this one, on the same thread

  static thread_local virtual_clock* newest_;
};

}  // namespace fibers
