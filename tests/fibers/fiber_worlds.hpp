// fiber_worlds: where a fact about fibers takes place.
//
//     in_task_queue([](fibers::task_queue& tasks) { ... });       // nothing but park and wake
//     in_scheduler([](fibers::scheduler& scheduler) { ... });     // time as well
//
// The body is the first fiber. What it throws comes out; and so does a failure when fibers are left
// that nobody will ever wake.
#pragma once

#include <fibers/sanitizer.hpp>
#include <fibers/scheduler.hpp>
#include <fibers/task_queue.hpp>

#include <boost/test/unit_test.hpp>
#include <chrono>

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

template <class Body>
void in_scheduler(Body body) {
  fibers::scheduler scheduler{fibers::io::epoll};
  bool stuck = false;
  auto watchdog = scheduler.spawn("watchdog", [&] {
    fibers::this_fiber::sleep_for(patience);
    stuck = true;
    scheduler.stop();
  });
  auto first = scheduler.spawn("first", [&] {
    body(scheduler);
    watchdog.cancel();
  });
  scheduler.run();
  BOOST_TEST(!stuck, "fibers that nobody wakes");
  first.join();
}
