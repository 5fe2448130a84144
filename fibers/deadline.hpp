// deadline: waiting that ends when its time has come.
//
//     fibers::time_limit limit;
//     limit.after(10ms, tasks.timers());
//     while (!arrived && !limit.passed()) limit.park(tasks);
//
// A task queue knows no time. It names the timer_queue in which its fibers' deadlines are armed,
// and whoever runs its rounds calls wake_expired() between them.
#pragma once

#include <fibers/task_queue.hpp>
#include <fibers/timer_queue.hpp>

namespace fibers {

// The deadline of a call that waits as long as it takes.
inline constexpr auto never = clock::time_point::max();

// `now + duration`, which stays at the end of time instead of wrapping around.
clock::time_point saturating_add(clock::time_point now, clock::duration duration) noexcept;

// `never`, where that would be after the end of time.
clock::time_point deadline_after(clock::duration from_now) noexcept;

// A moment after which waiting ends. It stays in force for every later wait until it is changed.
// Each time it is set it names the timers it belongs to. When those are destroyed, a limit that has
// not passed never will.
class time_limit {
 public:
  time_limit() = default;
  time_limit(time_limit&& other) noexcept;
  time_limit& operator=(time_limit&& other) noexcept;
  ~time_limit() { never(); }

  // A limit is never early, and as late as the kernel's timers are. It passes when the loop looks
  // at its timers, so a call that need not wait may succeed a little later; only after() no time at
  // all it has passed at once. Moving a limit further costs a look at the clock and a store, so it
  // may be done for every message.
  void after(clock::duration from_now, timer_queue& owner);
  void at(clock::time_point moment, timer_queue& owner);
  void never() noexcept;

  // Passes once there was no activity() for `period`, at most a sixteenth of it later. Activity
  // then costs nothing but this store, so it may be any number of messages per second.
  void when_idle(clock::duration period, timer_queue& owner);
  void activity() noexcept { alarm_.active = true; }

  bool passed() const noexcept { return alarm_.rang; }

  // One that has not passed yet belongs to `owner` from now on. Throws std::bad_alloc.
  void move_to(timer_queue& owner);

  // As task_queue::park(), and the limit wakes the fiber as well: look at passed(), too.
  void park(task_queue& tasks) noexcept;

  // Lets the limits pass whose time has come, and wakes their fibers, which `tasks` runs. After
  // many of them it stops, and leaves the others to the next call. Precondition: every timer that
  // is armed in `timers` is a limit's.
  static void wake_expired(timer_queue& timers, task_queue& tasks);

 private:
  friend class blocking_io;

  // At most two fibers wait under one limit: of a stream, one that reads and one that writes.
  struct alarm : timer {
    fiber* sleepers[2] = {};
    clock::duration idle_period{};  // zero: the deadline is one
    clock::time_point idle_since;
    bool active = false;
    bool rang = false;
  };

  static void ring(alarm& expired, clock::time_point now, timer_queue& timers, task_queue& tasks);

  alarm alarm_;
  timer_queue* timers_ = nullptr;  // where it is armed; looked at only while it is
};

}  // namespace fibers
