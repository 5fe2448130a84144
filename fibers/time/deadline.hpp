// deadline: waiting that ends at a point in time.
//
//     fibers::time_limit limit;
//     limit.after(10ms, tasks.timers());
//     while (!arrived && !limit.passed()) limit.park(tasks);
//
// Calls named ..._for and ..._until take any duration and any clock, as in the standard library,
// and saturate: hours::max() is for ever, and what lies in the past has passed. A duration that is
// no whole number of nanoseconds is rounded up. A moment of another clock is converted once, by its
// distance from that clock's present; setting that clock later does not move the deadline.
//
// A task queue knows no time. Its timers() are where its fibers' deadlines are armed, and the code
// that runs its rounds calls wake_expired() between them.
#pragma once

#include <fibers/task_queue.hpp>
#include <fibers/time/timer_queue.hpp>

#include <chrono>
#include <type_traits>

namespace fibers {

// The deadline of a call that has none.
inline constexpr auto never = clock::time_point::max();

// `now + duration`, or the latest time_point if the sum is later than that.
clock::time_point saturating_add(clock::time_point now, clock::duration duration) noexcept;

// The duration in the clock's unit, rounded up, and not beyond what the unit can hold. A duration
// that is not a number is the longest one.
template <class Rep, class Period>
constexpr clock::duration saturating_cast(
    const std::chrono::duration<Rep, Period>& wanted) noexcept {
  using wide = std::chrono::duration<long double, clock::period>;
  if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>, clock::duration>) {
    return wanted;
  } else {
    constexpr auto most = clock::duration::max();
    if (!(wide{wanted} < wide{most})) return most;
    if (wide{wanted} <= -wide{most}) return -most;
    return std::chrono::ceil<clock::duration>(wanted);
  }
}

// clock::now() + from_now, or `never` if the sum is later than that.
clock::time_point deadline_after(clock::duration from_now) noexcept;
template <class Rep, class Period>
clock::time_point deadline_after(const std::chrono::duration<Rep, Period>& from_now) noexcept {
  return deadline_after(saturating_cast(from_now));
}

// The moment that another clock calls `there`, where its present is `now_there`. The latest moment
// that can be said is `never`.
clock::time_point deadline_at(clock::duration there, clock::duration now_there) noexcept;
template <class Clock, class Duration>
clock::time_point deadline_at(const std::chrono::time_point<Clock, Duration>& moment) noexcept {
  const auto there = saturating_cast(moment.time_since_epoch());
  if constexpr (std::is_same_v<Clock, clock::time_point::clock>) {
    return clock::time_point{there};
  } else {
    return deadline_at(there, saturating_cast(Clock::now().time_since_epoch()));
  }
}

// A time after which waiting ends. It applies to every later wait until it is changed. Each call
// that sets it names the timer_queue it belongs to. If that queue is destroyed first, a limit that
// has not passed never passes.
class time_limit {
 public:
  time_limit() = default;
  time_limit(time_limit&& other) noexcept;
  time_limit& operator=(time_limit&& other) noexcept;
  ~time_limit() {
    never();
    leave_sleepers();
  }

  // A limit never passes early. It passes as late as the kernel's timers are, when the loop looks
  // at its timers, so a call that need not wait may succeed a little later. Only after(zero or
  // less) passes at once. Moving a limit to a later time costs a read of the clock and a store, so
  // it may be done for every message. after() and at() throw std::bad_alloc.
  void after(clock::duration from_now, timer_queue& owner);
  void at(clock::time_point moment, timer_queue& owner);
  void never() noexcept;

  // Passes when there was no activity() for `period`, up to a sixteenth of `period` late. An
  // activity() costs one store, so it may be called for every message. Throws std::bad_alloc.
  void when_idle(clock::duration period, timer_queue& owner);
  void activity() noexcept { alarm_.active = true; }

  bool passed() const noexcept { return alarm_.rang; }

  // Moves a limit that has not passed to `owner`. Throws std::bad_alloc.
  void move_to(timer_queue& owner);

  // Fibers that wait under this limit go on to wait without it.
  void leave_sleepers() noexcept;

  // Like task_queue::park(), and the limit wakes the fiber as well: check passed(), too.
  void park(task_queue& tasks) noexcept;

  // Lets the limits pass whose time has come, and wakes their fibers, which `tasks` must run. Stops
  // after many of them and leaves the others to the next call. Precondition: every timer armed in
  // `timers` belongs to a time_limit.
  static void wake_expired(timer_queue& timers, task_queue& tasks);

 private:
  friend class blocking_io;
  friend class blocking_operation;

  // Lies on the stack of a fiber that waits. A limit that is destroyed meanwhile sets `limit` to
  // null, as when an exception leaves a scope with a scheduler and a listener.
  struct sleeper {
    fiber* who = nullptr;
    time_limit* limit = nullptr;
  };

  // At most two fibers wait under one limit, for example one that reads a stream and one that
  // writes it.
  struct alarm : timer {
    sleeper* sleepers[2] = {};
    clock::duration idle_period{};  // zero: a fixed deadline
    clock::time_point idle_since;
    bool active = false;
    bool rang = false;
  };

  static void ring(alarm& expired, clock::time_point now, timer_queue& timers, task_queue& tasks);

  alarm alarm_;
  timer_queue* timers_ = nullptr;  // where the alarm is armed; read only while it is
};

}  // namespace fibers
