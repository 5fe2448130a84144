// Messages are due at a fixed rate, and their response times count from when they were due.
#include <bench/load/open_loop.hpp>

#include <bench/statistics/histogram.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <deque>
#include <utility>

BOOST_AUTO_TEST_CASE(messages_are_due_at_the_rate_however_long_it_lasts) {
  bench::open_loop pace{30'000, 1000};
  BOOST_TEST(pace.due_until(999) == 0);
  BOOST_TEST(pace.due_until(1000) == 0);
  BOOST_TEST(pace.due_until(1000 + 33'334) == 1);
  BOOST_TEST(pace.due_until(1000 + 1'000'000'010) == 30'000);
  std::int64_t last = 0;
  for (int i = 0; i < 300'000; ++i) {
    pace.offer(7, 0);
    last = pace.take(100'000'000'000)->due_ns;
  }
  BOOST_TEST(last == 1000 + 10'000'000'000);
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_before_it_is_due_or_without_a_connection) {
  bench::open_loop pace{1000, 0};
  BOOST_TEST(!pace.next_ns().has_value());
  BOOST_TEST(!pace.take(1'000'000).has_value());
  pace.offer(3, 0);
  BOOST_TEST(!pace.take(0).has_value());
  BOOST_TEST(pace.take(1'000'000)->connection == 3U);
  pace.offer(4, 10);
  BOOST_TEST(pace.next_ns().value() == 2'000'000);
  BOOST_TEST(!pace.take(1'999'999).has_value());
  const auto late = pace.take(2'500'000);
  BOOST_TEST(late->connection == 4U);
  BOOST_TEST(late->due_ns == 2'000'000);
  BOOST_TEST(late->late_ns == 500'000);
}

BOOST_AUTO_TEST_CASE(a_client_that_had_no_free_connection_was_not_late_itself) {
  bench::open_loop pace{1000, 0};
  pace.offer(1, 80'000'000);
  const auto sent = pace.take(80'000'100);
  BOOST_TEST(sent->due_ns == 1'000'000);
  BOOST_TEST(sent->late_ns == 100);
}

namespace {

// A simulated server that answers one message at a time, in 50 us each. It runs for five simulated
// seconds and stops once, from 2.0 s to 2.1 s.
class stopping_server {
 public:
  std::int64_t replies_at(std::int64_t sent) {
    auto begins = std::max(sent, free_at_);
    if (begins >= stop_begins && begins < stop_ends) begins = stop_ends;
    return free_at_ = begins + 50'000;
  }

  static constexpr std::int64_t stop_begins = 2'000'000'000;
  static constexpr std::int64_t stop_ends = 2'100'000'000;
  static constexpr std::int64_t end = 5'000'000'000;

 private:
  std::int64_t free_at_ = 0;
};

constexpr std::uint32_t clients = 8;

bench::histogram closed_loop_times() {
  stopping_server server;
  bench::histogram times;
  std::deque<std::int64_t> replies(clients, 0);
  for (auto now = replies.front(); now < stopping_server::end; now = replies.front()) {
    replies.pop_front();
    replies.push_back(server.replies_at(now));
    times.record(static_cast<std::uint64_t>(replies.back() - now));
  }
  return times;
}

struct open_loop_times {
  bench::histogram response;
  bench::histogram service;

  explicit open_loop_times(double per_second) {
    stopping_server server;
    bench::open_loop pace{per_second, 0};
    for (std::uint32_t i = 0; i < clients; ++i) pace.offer(i, 0);
    std::deque<std::pair<std::int64_t, std::uint32_t>> replies;
    for (std::int64_t now = 0; now < stopping_server::end;) {
      while (const auto next = pace.take(now)) {
        const auto reply = server.replies_at(now);
        response.record(static_cast<std::uint64_t>(reply - next->due_ns));
        service.record(static_cast<std::uint64_t>(reply - now));
        replies.emplace_back(reply, next->connection);
      }
      const auto due = pace.next_ns();
      if (!replies.empty() && (!due || replies.front().first <= *due)) {
        now = replies.front().first;
        pace.offer(replies.front().second, now);
        replies.pop_front();
      } else {
        now = *due;
      }
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_stop_of_100_ms_shows_in_the_open_loops_p99_and_not_in_the_closed_loops) {
  const auto closed = closed_loop_times();
  const open_loop_times open{10'000};
  BOOST_TEST(closed.percentile(99) < 1'000'000);
  BOOST_TEST(open.response.percentile(99) > 50'000'000);
  BOOST_TEST(open.response.percentile(50) < 1'000'000);
  // Coordinated omission: times that count from the sending omit most of the stop.
  BOOST_TEST(open.service.percentile(99) < 1'000'000);
  BOOST_TEST(open.service.max() > 90'000'000U);
}
