// fiber_worlds: runs the body of a test as a fiber, without a scheduler.
//
//     in_task_queue([](fibers::task_queue& tasks) { ... });       // park and wake only
//     in_timed_queue([](fibers::task_queue& tasks) { ... });      // deadlines, too
//
// The body is the first fiber. An exception that leaves it comes out of the call. The test fails if
// fibers are left that nothing wakes.
#pragma once

#include <fibers/fiber_handle.hpp>
#include <fibers/memory/sanitizer.hpp>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;

// Sanitizers multiply time and memory, so tests with large counts use smaller ones.
inline constexpr bool sanitized = fibers::sanitizer::address || fibers::sanitizer::thread;

// Longer than a wait takes on any machine. A test that waits this long has failed.
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

// Precondition: the caller is a fiber, and its queue has timers.
inline void sleep_for(fibers::task_queue& tasks, fibers::clock::duration duration) {
  fibers::time_limit nap;
  nap.after(duration, tasks.timers());
  while (!nap.passed()) {
    tasks.check_cancelled();
    nap.park(tasks);
  }
}

// Runs rounds until no fiber is ready and no timer is armed.
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
    try {
      body(tasks);
    } catch (...) {
      watchdog.cancel();
      throw;
    }
    watchdog.cancel();
  });
  run_all(tasks, timers);
  BOOST_TEST(!stuck, "fibers that nobody wakes");
  first.join();
}
