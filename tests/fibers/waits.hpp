// waits: how often a reactor waits in the kernel for events, and until when.
//
//     const waits seen;                 // counts the waits of this thread's reactors from here on
//     scheduler.run();
//     seen.count(), seen.latest()       // calls of epoll_wait or its like; the latest deadline
//
// Several objects may exist at once, for example in several fibers, and be destroyed in any order.
// Tests check counts and deadlines instead of measured times, so they also hold on a busy machine.
// A program that uses this class needs sees_waits() (tests/fibers/CMakeLists.txt).
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
  // The waits that were allowed to sleep.
  int sleeps() const { return sleeps_; }
  // The latest deadline of these waits: when the wait would have ended if nothing had happened.
  // time_point::max() is never; time_point::min() means that no wait was allowed to sleep. The
  // deadline of a wait is the one armed last on this thread; a new reactor begins with max().
  time_point latest() const { return latest_; }
  // Whether latest() is `deadline`, or not after it. io_uring takes a duration, which the library
  // and this class convert by separate reads of the clock: up to 5 ms between them are tolerated.
  bool end_at(time_point deadline) const { return latest() >= deadline && end_by(deadline); }
  bool end_by(time_point deadline) const {
    return latest() <= deadline || latest() - deadline <= forgiven_.load();
  }
  // How many events the last wait returned; negative if it failed.
  int events() const { return events_; }

  // For other threads: whether the observed thread sleeps in such a wait.
  bool asleep() const;
  // Waits until it sleeps. Returns false if it does not within 20 seconds.
  bool until_asleep() const;

  // --- called by the wrapped functions -------------------------------------------------------

  static void arm(time_point deadline);
  static void arm_for(duration from_now);
  static void begin(bool sleeps);
  static void end(int events);

 private:
  void began(bool sleeps);
  void ended(int events);

  const pid_t thread_;
  waits* next_;  // in the list of this thread's objects
  std::atomic<int> count_{0};
  std::atomic<int> sleeps_{0};
  std::atomic<time_point> latest_{time_point::min()};
  std::atomic<int> events_{0};
  std::atomic<bool> inside_{false};
  static std::atomic<duration> forgiven_;
};
