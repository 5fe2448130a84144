// waits: how often a loop waits in the kernel for events, and until when.
//
//     const waits seen;                 // of this thread's reactors, from here to the end of scope
//     scheduler.run();
//     seen.count(), seen.latest()       // calls of epoll_wait and its like; the deadlines armed
//
// Several may live at once, one in each of several fibers, and end in any order. What would
// otherwise be told by a clock is counted, so it holds on a busy machine, too. A program that uses
// it is built with sees_waits() (tests/CMakeLists.txt).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>

class waits {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = std::chrono::steady_clock::duration;

  waits();
  waits(const waits&) = delete;
  waits& operator=(const waits&) = delete;
  ~waits();

  int count() const { return count_; }
  // Those that were allowed to sleep.
  int sleeps() const { return sleeps_; }
  // When the last of these would have ended though nothing had happened: the latest deadline that
  // was armed while one began, of the reactor that this thread made last. time_point::max() is
  // never; time_point::min() means that there was none.
  time_point latest() const { return latest_; }
  // Whether that is `deadline`, or not after it. io_uring is told a time to wait for: what passes
  // between the library's look at the clock and ours is forgiven.
  bool end_at(time_point deadline) const { return latest() >= deadline && end_by(deadline); }
  bool end_by(time_point deadline) const {
    return latest() <= deadline || latest() - deadline <= forgiven_.load();
  }
  // How many the last one brought; negative where it failed.
  int events() const { return events_; }

  // For other threads: whether the loop sleeps in the kernel.
  bool asleep() const;
  // Waits until it does. False: it did not within 20 seconds.
  bool until_asleep() const;

  // --- for the calls that are seen -----------------------------------------------------------

  static void arm(time_point deadline);
  static void arm_for(duration from_now);
  static void begin(bool sleeps);
  static void end(int events);

 private:
  void began(bool sleeps);
  void ended(int events);

  const pid_t thread_;
  waits* next_;  // in the list of this thread
  std::atomic<int> count_{0};
  std::atomic<int> sleeps_{0};
  std::atomic<time_point> latest_{time_point::min()};
  std::atomic<int> events_{0};
  std::atomic<bool> inside_{false};
  static std::atomic<duration> forgiven_;
};
