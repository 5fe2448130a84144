#include <fibers/time/timer_queue.hpp>

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <random>
#include <vector>

using fibers::timer;
using fibers::timer_queue;
using namespace std::chrono_literals;
using moment = fibers::clock::time_point;

namespace {

moment at(std::chrono::milliseconds since_start) {
  return moment{1000s + since_start};
}

// A simple model of the queue: every armed timer by its deadline.
using model = std::multimap<moment, timer*>;

void forget(model& expected, timer& dropped) {
  const auto [first, last] = expected.equal_range(dropped.deadline());
  for (auto it = first; it != last; ++it) {
    if (it->second == &dropped) return static_cast<void>(expected.erase(it));
  }
}

// Pops every timer that is due. Expects that the model has it, and none that is earlier.
void expire_both(timer_queue& timers, model& expected, moment now) {
  while (auto* popped = timers.pop_expired(now)) {
    BOOST_REQUIRE(!expected.empty());
    BOOST_REQUIRE((popped->deadline() == expected.begin()->first));
    BOOST_REQUIRE(!popped->armed());
    const auto size = expected.size();
    forget(expected, *popped);
    BOOST_REQUIRE(expected.size() == size - 1);
  }
  BOOST_REQUIRE((expected.empty() || expected.begin()->first > now));
}

}  // namespace

BOOST_AUTO_TEST_CASE(timers_expire_in_the_order_of_their_deadlines) {
  timer_queue timers;
  std::deque<timer> all(5);
  const int order[] = {3, 1, 4, 0, 2};
  for (const int i : order) timers.arm(all[static_cast<std::size_t>(i)], at(10ms * i));
  for (auto& expected : all) BOOST_TEST((timers.pop_expired(at(100ms)) == &expected));
  BOOST_TEST((timers.pop_expired(at(100ms)) == nullptr));
  BOOST_TEST(timers.empty());
}

BOOST_AUTO_TEST_CASE(a_timer_expires_at_its_deadline_and_not_before) {
  timer_queue timers;
  timer nap;
  timers.arm(nap, at(10ms));
  BOOST_TEST(nap.armed());
  BOOST_TEST((timers.pop_expired(at(10ms) - 1ns) == nullptr));
  BOOST_TEST((timers.pop_expired(at(10ms)) == &nap));
  BOOST_TEST(!nap.armed());
}

BOOST_AUTO_TEST_CASE(a_timer_armed_again_for_later_expires_then_and_once) {
  timer_queue timers;
  timer nap;
  timers.arm(nap, at(10ms));
  timers.arm(nap, at(20ms));
  BOOST_TEST(timers.size() == 1u);
  BOOST_TEST((timers.pop_expired(at(15ms)) == nullptr));
  BOOST_TEST((timers.earliest() == at(20ms)));
  BOOST_TEST((timers.pop_expired(at(20ms)) == &nap));
  BOOST_TEST((timers.pop_expired(at(99ms)) == nullptr));
}

BOOST_AUTO_TEST_CASE(a_timer_armed_again_for_earlier_expires_then_and_once) {
  timer_queue timers;
  timer nap;
  timer other;
  timers.arm(other, at(5ms));
  timers.arm(nap, at(20ms));
  timers.arm(nap, at(1ms));
  BOOST_TEST((timers.earliest() == at(1ms)));
  BOOST_TEST((timers.pop_expired(at(1ms)) == &nap));
  BOOST_TEST((timers.pop_expired(at(99ms)) == &other));
  BOOST_TEST((timers.pop_expired(at(99ms)) == nullptr));
}

BOOST_AUTO_TEST_CASE(a_timer_put_off_lets_the_next_one_pass) {
  timer_queue timers;
  timer put_off;
  timer next;
  timers.arm(put_off, at(1ms));
  timers.arm(next, at(2ms));
  timers.arm(put_off, at(3ms));
  BOOST_TEST((timers.pop_expired(at(9ms)) == &next));
  BOOST_TEST((timers.pop_expired(at(9ms)) == &put_off));
}

BOOST_AUTO_TEST_CASE(several_expire_in_one_look) {
  timer_queue timers;
  timer put_off;
  timer first;
  timer last;
  timer later;
  timers.arm(put_off, at(1ms));
  timers.arm(last, at(8ms));
  timers.arm(later, at(10ms));
  timers.arm(first, at(2ms));
  timers.arm(put_off, at(5ms));
  std::array<timer*, 2> two{};
  BOOST_TEST(timers.pop_expired(at(9ms), two) == 2u);
  BOOST_TEST((two == std::array{&first, &put_off}));
  BOOST_TEST((!first.armed() && !put_off.armed() && last.armed()));
  BOOST_TEST(timers.pop_expired(at(9ms), two) == 1u);
  BOOST_TEST((two[0] == &last));
  BOOST_TEST(timers.pop_expired(at(9ms), two) == 0u);
  BOOST_TEST(timers.size() == 1u);
  BOOST_TEST((timers.pop_expired(at(10ms)) == &later));
}

BOOST_AUTO_TEST_CASE(a_timer_put_off_and_then_back_keeps_the_last_deadline) {
  timer_queue timers;
  timer nap;
  timers.arm(nap, at(10ms));
  timers.arm(nap, at(50ms));
  timers.arm(nap, at(20ms));
  BOOST_TEST((timers.pop_expired(at(19ms)) == nullptr));
  BOOST_TEST((timers.pop_expired(at(20ms)) == &nap));
}

BOOST_AUTO_TEST_CASE(a_cancelled_timer_never_expires_and_can_be_armed_again) {
  timer_queue timers;
  timer nap;
  timers.arm(nap, at(1ms));
  timers.cancel(nap);
  BOOST_TEST(!nap.armed());
  BOOST_TEST((timers.pop_expired(at(99ms)) == nullptr));
  timers.cancel(nap);
  timers.arm(nap, at(2ms));
  BOOST_TEST((timers.pop_expired(at(99ms)) == &nap));
}

BOOST_AUTO_TEST_CASE(a_moved_timer_expires_at_its_new_address) {
  timer_queue timers;
  timer from;
  timer to;
  timer other;
  timers.arm(other, at(1ms));
  timers.arm(from, at(5ms));
  timers.arm(from, at(7ms));
  timers.move(from, to);
  BOOST_TEST(!from.armed());
  BOOST_TEST((timers.pop_expired(at(6ms)) == &other));
  BOOST_TEST((timers.pop_expired(at(6ms)) == nullptr));
  BOOST_TEST((timers.pop_expired(at(7ms)) == &to));
}

BOOST_AUTO_TEST_CASE(moving_a_timer_that_is_not_armed_arms_nothing) {
  timer_queue timers;
  timer from;
  timer to;
  timers.move(from, to);
  BOOST_TEST(!to.armed());
  BOOST_TEST(timers.empty());
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_random_steps_agree_with_a_sorted_map) {
  timer_queue timers;
  std::deque<timer> all(1000);
  model expected;
  std::mt19937 random{1};
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  auto now = at(0ms);
  for (int step = 0; step < 100'000; ++step) {
    auto& one = all[static_cast<std::size_t>(below(1000))];
    if (one.armed()) forget(expected, one);
    if (below(3) == 0) {
      timers.cancel(one);
    } else {
      timers.arm(one, now + std::chrono::milliseconds{below(2000) - 100});
      expected.emplace(one.deadline(), &one);
    }
    BOOST_REQUIRE(timers.size() == expected.size());
    BOOST_REQUIRE((timers.empty() || timers.earliest() <= expected.begin()->first));
    if (step % 16 == 0) expire_both(timers, expected, now += 1ms);
  }
  expire_both(timers, expected, now + 1h);
  BOOST_TEST(timers.empty());
}

BOOST_AUTO_TEST_CASE(a_timeout_put_off_for_every_message_stays_one_entry) {
  timer_queue timers;
  timer idle;
  for (int message = 0; message < 100'000; ++message) {
    timers.arm(idle, at(std::chrono::milliseconds{message + 1000}));
    BOOST_REQUIRE((timers.pop_expired(at(std::chrono::milliseconds{message})) == nullptr));
  }
  BOOST_TEST(timers.size() == 1u);
  BOOST_TEST((timers.pop_expired(at(101s)) == &idle));
}

BOOST_AUTO_TEST_CASE(the_coarse_clock_is_never_ahead) {
  for (int i = 0; i < 1000; ++i) {
    const auto coarse = fibers::coarse_now();
    BOOST_REQUIRE((coarse <= fibers::clock::now()));
  }
}
