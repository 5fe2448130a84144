// Several clients of `echobench load` measure as one, and end together.
#include <fmt/format.h>

#include <bench/command/load/team.hpp>
#include <bench/selftest/odd_server.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;
using bench::load_sample;
using bench::load_threads;
using bench::scenario;

namespace {

using clock_type = std::chrono::steady_clock;

struct team_and_server {
  explicit team_and_server(odd_behaviour behaviour = {}) : server{std::move(behaviour)} {}

  bench::address where() const { return bench::address::resolve("127.0.0.1", server.port()); }

  std::atomic<bool> stop{false};
  odd_server server;
};

load_sample sample_of(double seconds, std::int64_t messages, double utilisation) {
  load_sample sample;
  sample.seconds = seconds;
  sample.messages = messages;
  sample.client_utilisation = utilisation;
  for (std::int64_t i = 0; i < messages; ++i) sample.latency_ns.record(1000);
  return sample;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_team_is_the_limit_as_soon_as_one_of_it_is) {
  auto late = sample_of(1.5, 10, 0.4);
  late.due = 14;
  late.unanswered = 4;
  late.late_ns.record(7000);
  const auto sum = bench::sum_of({sample_of(1, 20, 0.97), late});
  BOOST_TEST(sum.messages == 30);
  BOOST_TEST(sum.latency_ns.count() == 30U);
  BOOST_TEST(sum.due == 14);
  BOOST_TEST(sum.unanswered == 4);
  BOOST_TEST(sum.late_ns.count() == 1U);
  BOOST_TEST(sum.seconds == 1.5);
  BOOST_TEST(sum.client_is_the_limit());
}

BOOST_AUTO_TEST_CASE(the_connections_of_a_load_are_divided_among_its_threads) {
  for (const int threads : {1, 2, 3}) {
    BOOST_TEST_CONTEXT(threads << " threads") {
      team_and_server with;
      load_threads team{scenario::parse("c7/64+4idle"), threads, with.stop};
      team.connect(with.where());
      BOOST_TEST(with.server.accepted() == threads + 7 + 4);  // each thread asks for the prefix
      BOOST_TEST(team.prefix() == "");
      load_sample seen;
      team.load(40ms, 0, seen);
      BOOST_TEST(seen.messages > 0);
      BOOST_TEST(seen.latency_ns.count() == static_cast<std::uint64_t>(seen.messages));
      BOOST_TEST(seen.seconds >= 0.04);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_messages_due_are_those_of_the_whole_rate) {
  for (const int threads : {1, 3}) {
    team_and_server with;
    load_threads team{scenario::parse("c8/64"), threads, with.stop};
    team.connect(with.where());
    load_sample seen;
    team.load(200ms, 1000, seen);
    // One thread may wait for late replies longer than another, and `seconds` is the longest.
    BOOST_TEST(static_cast<double>(seen.due) >= 1000 * 0.2 - 2 * threads);
    BOOST_TEST(static_cast<double>(seen.due) <= 1000 * seen.seconds + 2 * threads);
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_byte_on_one_thread_ends_all_with_what_they_measured) {
  std::atomic<int> replies{0};
  odd_behaviour lying;
  lying.reply = [&](std::string_view got) {
    std::string reply{got};
    if (++replies == 2000) reply.back() ^= 1;
    return reply;
  };
  team_and_server with{lying};
  load_threads team{scenario::parse("c6/64"), 3, with.stop};
  team.connect(with.where());
  load_sample seen;
  BOOST_CHECK_THROW(team.load(1h, 0, seen), bench::wrong_reply);
  BOOST_TEST(seen.messages > 1000);
}

BOOST_AUTO_TEST_CASE(who_stops_a_team_has_what_all_of_it_measured) {
  team_and_server with;
  load_threads team{scenario::parse("c6/64"), 3, with.stop};
  team.connect(with.where());
  std::thread later{[&] {
    std::this_thread::sleep_for(100ms);
    with.stop = true;
  }};
  load_sample seen;
  const auto start = clock_type::now();
  BOOST_CHECK_THROW(team.load(1h, 0, seen), bench::interrupted);
  BOOST_TEST((clock_type::now() - start < 20s));
  BOOST_TEST(seen.messages > 0);
  later.join();
  BOOST_CHECK_THROW(team.load(1h, 0, seen), bench::interrupted);
}

BOOST_AUTO_TEST_CASE(an_observer_sees_the_sum_about_once_per_second) {
  team_and_server with;
  load_threads team{scenario::parse("c4/64"), 2, with.stop};
  team.connect(with.where());
  std::vector<std::int64_t> looks;
  team.set_observer([&](const load_sample& so_far) { looks.push_back(so_far.messages); });
  load_sample seen;
  team.load(2500ms, 0, seen);
  BOOST_TEST(!looks.empty());
  BOOST_TEST(looks.size() <= 2U);
  for (const auto each : looks) BOOST_TEST(each < seen.messages);
}
