// fiber_worlds: where a fact about fibers takes place.
//
//     in_task_queue([](fibers::task_queue& tasks) { ... });       // nothing but park and wake
//     in_timed_queue([](fibers::task_queue& tasks) { ... });      // deadlines as well
//
// The body is the first fiber. What it throws comes out; and so does a failure when fibers are left
// that nobody will ever wake. No scheduler is here: fibers that wait for each other need none.
#pragma once

#include <fibers/fiber_handle.hpp>
#include <fibers/sanitizer.hpp>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;

// Sanitizers cost a multiple of the time and the memory; facts that count get fewer.
inline constexpr bool sanitized = fibers::sanitizer::address || fibers::sanitizer::thread;

// Long enough for the slowest machine; a fact that waits this long has failed.
inline constexpr std::chrono::seconds patience{sanitized ? 60 : 20};

inline void run_all(fibers::task_queue& tasks) {
  while (tasks.any_ready()) tasks.run_round();
}

template <class Body>
void in_task_queue(Body body) {
  fibers::task_queue tasks;
  auto first = tasks.spawn("first", [&] { body(tasks); });
  run_all(tasks);
  const auto stuck = tasks.alive_count();
  tasks.cancel_all();
  run_all(tasks);
  BOOST_TEST(stuck == 0u, "fibers that nobody wakes: " << stuck);
  first.join();
}

// Called by a fiber of a timed queue.
inline void sleep_for(fibers::task_queue& tasks, fibers::clock::duration duration) {
  fibers::time_limit nap;
  nap.after(duration, tasks.timers());
  while (!nap.passed()) {
    tasks.check_cancelled();
    nap.park(tasks);
  }
}

// Until no fiber is left, or none that is ready or has a deadline.
inline void run_all(fibers::task_queue& tasks, fibers::timer_queue& timers) {
  while (tasks.any_ready() || !timers.empty()) {
    tasks.run_round();
    if (!tasks.any_ready() && !timers.empty()) std::this_thread::sleep_until(timers.earliest());
    fibers::time_limit::wake_expired(timers, tasks);
  }
}

template <class Body>
void in_timed_queue(Body body) {
  fibers::timer_queue timers;
  fibers::task_queue tasks{fibers::default_stack_size, &timers};
  bool stuck = false;
  auto watchdog = tasks.spawn("watchdog", [&] {
    sleep_for(tasks, patience);
    stuck = true;
    tasks.cancel_all();
  });
  auto first = tasks.spawn("first", [&] {
    body(tasks);
    watchdog.cancel();
  });
  run_all(tasks, timers);
  BOOST_TEST(!stuck, "fibers that nobody wakes");
  first.join();
}
