// The error of percentiles, the limits of the buckets, and values beyond the highest bucket.
#include <bench/statistics/histogram.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

BOOST_AUTO_TEST_CASE(a_percentile_is_off_by_less_than_a_hundredth) {
  bench::histogram latency;
  std::vector<std::uint64_t> values;
  std::mt19937_64 random{4};
  std::lognormal_distribution<double> distribution{11, 2};
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::uint64_t>(distribution(random)));
    latency.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9}) {
    const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * 20'000)) - 1;
    BOOST_TEST(latency.percentile(percent) == static_cast<double>(values[rank]),
               boost::test_tools::tolerance(0.008));
  }
  BOOST_TEST(latency.percentile(100) == static_cast<double>(latency.max()));
  BOOST_TEST(static_cast<double>(latency.max()) == static_cast<double>(values.back()),
             boost::test_tools::tolerance(0.008));
}

BOOST_AUTO_TEST_CASE(histograms_merge_as_if_one_had_recorded_all) {
  bench::histogram low, high;
  for (std::uint64_t i = 1; i <= 100; ++i) low.record(i), high.record(i * 1'000'000);
  low.merge(high);
  BOOST_TEST(low.count() == 200U);
  BOOST_TEST(low.percentile(50) == 100.0);
  BOOST_TEST((100'000'000U <= low.max() && low.max() < 100'800'000U));
}

BOOST_AUTO_TEST_CASE(an_empty_histogram_has_no_percentile_and_a_huge_value_is_18_minutes) {
  bench::histogram latency;
  BOOST_TEST(latency.percentile(50) == 0.0);
  BOOST_TEST(latency.max() == 0U);
  latency.record(1ULL << 50);
  BOOST_TEST(latency.percentile(50) == static_cast<double>(bench::histogram::highest));
}

BOOST_AUTO_TEST_CASE(buckets_follow_each_other_without_a_gap_and_hold_what_is_recorded) {
  BOOST_TEST(bench::histogram::lowest_in(0) == 0U);
  for (std::size_t i = 0; i < bench::histogram::buckets; ++i) {
    bench::histogram latency;
    latency.record(bench::histogram::lowest_in(i));
    latency.record(bench::histogram::highest_in(i));
    BOOST_TEST(latency.counts()[i] == 2U);
    if (i > 0) {
      BOOST_TEST(bench::histogram::lowest_in(i) == bench::histogram::highest_in(i - 1) + 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_last_percentile_is_the_largest_value_however_many_there_are) {
  bench::histogram times;
  times.add(1, std::uint64_t{1} << 62);
  times.add(2, 1);
  BOOST_TEST(times.percentile(100) == static_cast<double>(times.max()));
}
