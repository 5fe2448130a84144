// What several clients measured adds up, and a whole that cannot be divided evenly is shared out.
#include <bench/load/sample.hpp>

#include <boost/test/unit_test.hpp>

using bench::load_sample;
using bench::share_of;

BOOST_AUTO_TEST_SUITE(samples)

BOOST_AUTO_TEST_CASE(shares_differ_by_at_most_one_and_make_up_the_whole) {
  for (const int whole : {0, 1, 7, 10, 99'999, 100'000})
    for (const int n : {1, 2, 3, 7, 64}) {
      int sum = 0;
      for (int i = 0; i < n; ++i) {
        sum += share_of(whole, n, i);
        BOOST_TEST(share_of(whole, n, 0) - share_of(whole, n, i) >= 0);
        BOOST_TEST(share_of(whole, n, 0) - share_of(whole, n, i) <= 1);
      }
      BOOST_TEST(sum == whole);
    }
}

BOOST_AUTO_TEST_CASE(counts_and_histograms_are_added_and_of_time_and_cpu_the_most_is_taken) {
  load_sample one, other;
  one.seconds = 1, other.seconds = 1.5;
  one.client_utilisation = 0.9, other.client_utilisation = 0.2;
  one.messages = 10, other.messages = 5;
  one.messages_in_all = 20, other.messages_in_all = 7;
  one.unanswered = 1, other.unanswered = 2;
  one.due = 11, other.due = 7;
  one.latency_ns.record(1000), other.latency_ns.record(3000), other.latency_ns.record(1000);
  one.service_ns.record(500);
  other.late_ns.record(50);
  one.hosts.resize(1);
  const auto sum = bench::sum_of({one, other});
  BOOST_TEST(sum.seconds == 1.5);
  BOOST_TEST(sum.client_utilisation == 0.9);
  BOOST_TEST(sum.messages == 15);
  BOOST_TEST(sum.messages_in_all == 27);
  BOOST_TEST(sum.unanswered == 3);
  BOOST_TEST(sum.due == 18);
  BOOST_TEST(sum.latency_ns.count() == 3u);
  BOOST_TEST(sum.latency_ns.percentile(50) == one.latency_ns.percentile(50));
  BOOST_TEST(sum.service_ns.count() == 1u);
  BOOST_TEST(sum.late_ns.count() == 1u);
  BOOST_TEST(sum.hosts.empty());
}

BOOST_AUTO_TEST_CASE(the_sum_of_nothing_is_nothing) {
  const auto sum = bench::sum_of({});
  BOOST_TEST(sum.messages == 0);
  BOOST_TEST(sum.seconds == 0);
  BOOST_TEST(sum.latency_ns.count() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
