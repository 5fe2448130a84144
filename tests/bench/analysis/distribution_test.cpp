// High percentiles come from the merged histograms of all blocks.
#include <bench/analysis/analysis.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

using bench::analyse;

BOOST_AUTO_TEST_CASE(rare_latencies_are_of_all_blocks_together_and_runs_without_them_have_none) {
  const auto record = synthetic_run();
  const auto found = analyse(record);
  for (const auto& row : found.loads) {
    const auto& all = row.contender.latency.value();
    BOOST_TEST(all.messages == 1000 * 2 * 10);
    BOOST_TEST(all.p50_us == row.contender.p50_us.value, boost::test_tools::tolerance(0.1));
    BOOST_TEST(all.p99_us < all.p999_us);
    BOOST_TEST(all.p999_us < all.max_us);
    BOOST_REQUIRE(all.curve_us.size() == 31U);
    BOOST_TEST(std::is_sorted(all.curve_us.begin(), all.curve_us.end()));
    BOOST_TEST(all.curve_us[10] == all.p90_us);
    BOOST_TEST(all.curve_us[20] == all.p99_us);
    BOOST_TEST(all.curve_us[30] == all.p999_us);
  }
  const auto& open = found.open_loops.front().base;
  BOOST_TEST(open.response->p50_us > open.service->p50_us + 8);
  const auto forms = every_form(record);
  for (const auto* metric :
       {"latency_p999_closed_loop,us,", "response_p999_open_loop,us,", "service_max_open_loop,us,"})
    BOOST_TEST(contains(forms[1], metric), metric);
  BOOST_TEST(contains(forms[2], "p99.9, µs"));
  BOOST_TEST(contains(forms[3], "p99.9, µs"));
  const auto old = synthetic_run({.latencies = false});
  BOOST_TEST(!analyse(old).loads.front().base.latency);
  BOOST_TEST(!contains(every_form(old)[1], "p999"));
}
