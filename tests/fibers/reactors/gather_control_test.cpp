// How many messages a sleep is to bring: what the control learns, from messages and times that the
// test makes up.
#include <fibers/reactors/gather_control.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <vector>

using namespace std::chrono_literals;
using fibers::gather;
using fibers::gather_control;
using fibers::thread_times;

namespace {

using std::chrono::nanoseconds;

thread_times told{};
thread_times tell() noexcept {
  return told;
}

// A loop whose connections send in turn.
struct loop {
  explicit loop(gather how) : control{how, tell} {}

  void message(int connection) {
    if (rounds.size() <= static_cast<std::size_t>(connection))
      rounds.resize(static_cast<std::size_t>(connection) + 1, 255);
    auto& round = rounds[static_cast<std::size_t>(connection)];
    const bool first = round != control.round();
    round = control.round();
    control.came(first);
  }

  // A round in which so many connections send. The thread runs for a part of it.
  void round(int connections, double busy = 1) {
    told.lived += 1ms;
    told.ran += nanoseconds{static_cast<std::int64_t>(busy * 1e6)};
    const auto now = control.round();
    for (int i = 0; control.round() == now; i = (i + 1) % connections) message(i);
  }

  gather_control control;
  std::vector<std::uint8_t> rounds;
};

// A loop that gathers for every load: no look at the processor is needed.
struct gathering_loop : loop {
  gathering_loop() : loop{100us} {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gathering)

BOOST_AUTO_TEST_CASE(a_third_of_the_connections_that_sent_something_is_waited_for) {
  gathering_loop any;
  BOOST_TEST(any.control.wanted() == 1U);
  any.round(48);
  BOOST_TEST(any.control.wanted() == 16U);
  any.round(90);
  BOOST_TEST(any.control.wanted() == 30U);
}

BOOST_AUTO_TEST_CASE(few_connections_are_not_waited_for) {
  gathering_loop any;
  for (const int few : {1, 2, 8, 15}) {
    any.round(few);
    BOOST_TEST(any.control.wanted() == 1U);
  }
  any.round(16);
  BOOST_TEST(any.control.wanted() == 5U);
}

BOOST_AUTO_TEST_CASE(more_than_64_messages_are_never_waited_for) {
  gathering_loop any;
  any.round(10'000);
  BOOST_TEST(any.control.wanted() == 64U);
}

BOOST_AUTO_TEST_CASE(idle_connections_do_not_count) {
  gathering_loop any;
  any.round(900);
  BOOST_TEST(any.control.wanted() == 64U);
  any.round(18);
  BOOST_TEST(any.control.wanted() == 6U);
}

BOOST_AUTO_TEST_CASE(four_sleeps_that_bring_too_little_end_it_for_the_round) {
  gathering_loop any;
  any.round(30);
  for (int i = 0; i < 3; ++i) any.control.slept(3);
  for (int i = 0; i < 100; ++i) any.control.slept(4);
  BOOST_TEST(any.control.wanted() == 10U);
  any.control.slept(0);
  BOOST_TEST(any.control.wanted() == 1U);
  any.round(30);
  BOOST_TEST(any.control.wanted() == 10U);
}

BOOST_AUTO_TEST_CASE(off_is_off) {
  for (const auto& off : {gather::off, gather{0us}, gather{-5s}}) {
    loop any{off};
    for (int i = 0; i < 5; ++i) any.round(100);
    BOOST_TEST(any.control.wanted() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_window_is_a_second_at_most) {
  BOOST_TEST((gather{7us}.window() == 7us));
  BOOST_TEST((gather{1ns}.window() == 1ns));
  BOOST_TEST((gather{2s}.window() == 1s));
  BOOST_TEST((gather{std::chrono::hours::max()}.window() == 1s));
}

BOOST_AUTO_TEST_CASE(automatic_begins_where_the_thread_is_busy) {
  loop any{gather::automatic};
  for (int i = 0; i < 5; ++i) any.round(60, 0.84);
  BOOST_TEST(any.control.wanted() == 1U);
  any.round(60, 0.86);
  BOOST_TEST(any.control.wanted() == 20U);
}

// What it saves makes the thread less busy.
BOOST_AUTO_TEST_CASE(automatic_goes_on_while_the_thread_is_busy_for_three_fifths) {
  loop any{gather::automatic};
  for (const double busy : {1., 1., .7, .61}) any.round(60, busy);
  BOOST_TEST(any.control.wanted() == 20U);
  any.round(60, 0.59);
  BOOST_TEST(any.control.wanted() == 1U);
  any.round(60, 0.84);
  BOOST_TEST(any.control.wanted() == 1U);
}

// The first round with enough connections began at a time that nobody looked at.
BOOST_AUTO_TEST_CASE(automatic_needs_a_whole_round_to_see_how_busy_the_thread_is) {
  loop any{gather::automatic};
  any.round(60);
  BOOST_TEST(any.control.wanted() == 1U);
  any.round(60);
  BOOST_TEST(any.control.wanted() == 20U);
  any.round(3);
  any.round(60);
  BOOST_TEST(any.control.wanted() == 1U);
}

namespace {

// A reactor made up: messages come at given times, and each takes 5 us to answer. Returns how long
// the longest one waited beyond what it would have waited in a loop that never gathers.
struct arrivals {
  nanoseconds longest_delay{};
  int sleeps = 0;
  int messages = 0;
};

arrivals serve(gather how, int connections, nanoseconds between, nanoseconds in_all) {
  loop server{how};
  arrivals seen;
  nanoseconds now{}, free{};
  std::deque<nanoseconds> waiting;
  auto next = between;
  const auto admit = [&] {
    for (; next <= now; next += between) waiting.push_back(next);
  };
  while (now < in_all) {
    admit();
    if (waiting.empty()) {
      ++seen.sleeps;
      const auto wanted = server.control.wanted();
      const auto window_ends = now + server.control.window();
      now = next;
      if (wanted > 1) now = std::max(now, std::min(window_ends, next + (wanted - 1) * between));
      admit();
      if (wanted > 1) server.control.slept(static_cast<unsigned>(waiting.size()));
    }
    const auto came = waiting.front();
    waiting.pop_front();
    free = std::max(free, came) + 5us;  // of a loop that sleeps until the first message
    now += 5us;
    seen.longest_delay = std::max(seen.longest_delay, now - free);
    server.message(seen.messages++ % connections);
  }
  return seen;
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_message_waits_longer_than_the_window_for_it) {
  for (const auto between : {5us, 6us, 10us, 20us, 40us, 100us, 1000us}) {
    const auto seen = serve(100us, 64, between, 1s);
    BOOST_TEST((seen.longest_delay <= 100us));
  }
}

BOOST_AUTO_TEST_CASE(where_messages_come_one_by_one_next_to_no_sleep_is_longer) {
  const auto seen = serve(100us, 64, 200us, 1s);
  BOOST_TEST(seen.sleeps == seen.messages);
  BOOST_TEST((serve(gather::off, 64, 200us, 1s).longest_delay == 0us));
}

BOOST_AUTO_TEST_CASE(where_messages_come_close_after_each_other_a_sleep_brings_several) {
  const auto without = serve(gather::off, 64, 10us, 1s), with = serve(100us, 64, 10us, 1s);
  BOOST_TEST(without.sleeps == without.messages);
  BOOST_TEST(with.sleeps < with.messages / 8);
}

BOOST_AUTO_TEST_SUITE_END()
