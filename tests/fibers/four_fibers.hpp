// four_fibers: two parked fibers, a ready one and a running one, for tests that list fibers.
#pragma once

#include <fibers/channel.hpp>
#include <fibers/scheduler.hpp>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>

// Not in an anonymous namespace, so that backtraces contain the names of these two functions.
[[gnu::noinline]] inline int waits_for_an_item(fibers::channel<int>& items) {
  return items.pop().value() + 1;
}

// The increment after the call keeps this frame on the stack: it prevents a tail call.
[[gnu::noinline]] inline void sleeps_long(int& woken) {
  fibers::this_fiber::sleep_for(std::chrono::hours{1});
  ++woken;
}

// The running fiber calls `last(scheduler)`.
template <class Last>
int four_fibers(fibers::channel<int>& items, Last last) {
  fibers::scheduler scheduler{fibers::io::epoll};
  int sum = 0;
  scheduler.spawn("consumer", [&] { sum += waits_for_an_item(items); });
  scheduler.spawn("sleeper", [&] { sleeps_long(sum); });
  scheduler.spawn("last", [&] {
    fibers::this_fiber::yield();
    scheduler.spawn("fresh", [&] { ++sum; });
    last(scheduler);
  });
  scheduler.run();
  return sum;
}

inline void expect_two_backtraces(const std::string& said) {
  const auto second = said.rfind("fiber 2, parked");
  const auto sleeper = said.find("sleeps_long");
  BOOST_TEST(said.find("waits_for_an_item") < second, said);
  BOOST_TEST((sleeper != said.npos && sleeper > said.find("fiber 2, parked")), said);
}
