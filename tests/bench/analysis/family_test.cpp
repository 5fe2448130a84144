// The verdicts of a run hold together: simulated with fixed seeds.
#include <bench/analysis/analysis.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <string>

#include <tests/bench/analysis/cost_row_of.hpp>
#include <tests/bench/analysis/even_run.hpp>
#include <tests/sanitized.hpp>

using bench::finding;

namespace {

constexpr int most_of_a_hundred = sanitized ? 8 : 90;

bool names_a_difference(const bench::verdict& said) {
  const auto what = said.what;
  return what == finding::lower || what == finding::higher || what == finding::tiny ||
         what == finding::conflict;
}

struct outcome {
  int with_a_difference = 0;  // runs
  int found = 0;              // runs that named that of the first row
  int throughput_found = 0;   // the same of its throughput
  int latency_found = 0;      // the same of its median latency
  int overall_lower = 0;      // runs that call the CPU over all loads lower
  int overall_higher = 0;
  int overall_right = 0;  // runs whose interval over all loads holds the truth
};

// A sanitizer looks at the code, for which a tenth of the runs suffices.
outcome of_runs(int runs, const even_run& truth) {
  std::mt19937 random{2026};
  outcome seen;
  if (sanitized) runs /= 10;
  for (int i = 0; i < runs; ++i) {
    const auto found = bench::analyse(run_of(truth, random));
    BOOST_REQUIRE(found.costs.size() == even_rows);
    BOOST_REQUIRE(found.loads.size() == even_rows);
    bool any = false;
    for (const auto& row : found.costs) any = any || names_a_difference(row.verdict);
    for (const auto& row : found.loads)
      any = any || names_a_difference(*row.throughput_verdict) ||
            names_a_difference(row.p50->verdict) ||
            (row.p99 && names_a_difference(row.p99->verdict));
    const auto& overall = found.overall->front();
    any = any || names_a_difference(overall.cpu->verdict) ||
          names_a_difference(overall.throughput->verdict);
    seen.overall_lower += overall.cpu->verdict.what == finding::lower ? 1 : 0;
    seen.overall_higher += overall.cpu->verdict.what == finding::higher ? 1 : 0;
    double truth_over_all = 0;
    for (int row = 0; row < even_rows; ++row)
      truth_over_all += difference_of(truth, row) / even_rows;
    seen.overall_right += overall.cpu->ratio.range->excludes(std::exp(truth_over_all)) ? 0 : 1;
    seen.with_a_difference += any ? 1 : 0;
    seen.throughput_found += found.loads.front().throughput_verdict->what == finding::lower ? 1 : 0;
    seen.latency_found += found.loads.front().p50->verdict.what == finding::higher ? 1 : 0;
    seen.found += found.costs.front().verdict.what == finding::higher ? 1 : 0;
  }
  return seen;
}

}  // namespace

BOOST_AUTO_TEST_CASE(of_a_hundred_runs_in_which_nothing_differs_at_most_five_say_otherwise) {
  for (const double spread : {0.007, 0.015, 0.03, 0.06}) {
    const auto seen = of_runs(200, {.spread = spread});
    BOOST_TEST_MESSAGE(spread << ": " << seen.with_a_difference << " of 200");
    BOOST_TEST(seen.with_a_difference <= 10, spread);
  }
}

BOOST_AUTO_TEST_CASE(a_difference_of_three_percent_is_found_in_nine_of_ten_runs) {
  const auto seen = of_runs(100, {.spread = 0.01, .difference = std::log(1.03)});
  BOOST_TEST_MESSAGE(seen.found << " of 100");
  BOOST_TEST(seen.found >= most_of_a_hundred);
}

BOOST_AUTO_TEST_CASE(a_throughput_that_differs_is_named_where_the_cpu_differs_too) {
  const auto seen = of_runs(100, {.spread = 0.01,
                                  .difference = std::log(1.1),
                                  .throughput_spread = 0.03,
                                  .throughput_difference = std::log(0.9)});
  BOOST_TEST_MESSAGE(seen.throughput_found << " of 100");
  BOOST_TEST(seen.throughput_found >= most_of_a_hundred);
}

BOOST_AUTO_TEST_CASE(a_latency_that_differs_is_named_where_cpu_and_throughput_differ_on_all_loads) {
  const auto seen = of_runs(100, {.spread = 0.01,
                                  .common_difference = std::log(1.1),
                                  .throughput_spread = 0.03,
                                  .common_throughput = std::log(0.9),
                                  .common_latency = std::log(1.2)});
  BOOST_TEST_MESSAGE(seen.latency_found << " of 100");
  BOOST_TEST(seen.latency_found >= most_of_a_hundred);
}

// With so many rounds p99 is judged, too.
BOOST_AUTO_TEST_CASE(of_a_hundred_long_runs_in_which_nothing_differs_at_most_five_say_otherwise) {
  std::mt19937 random{1};
  BOOST_TEST(bench::analyse(run_of({.rounds = 20}, random)).loads.front().p99.has_value());
  BOOST_TEST(!bench::analyse(run_of({.rounds = 19}, random)).loads.front().p99.has_value());
  BOOST_TEST(!bench::analyse(run_of({.spread = 0.05, .rounds = 20}, random)).loads.front().p99);
  const auto seen = of_runs(100, {.spread = 0.015, .rounds = 24});
  BOOST_TEST_MESSAGE(seen.with_a_difference << " of 100");
  BOOST_TEST(seen.with_a_difference <= 5);
}

BOOST_AUTO_TEST_CASE(a_small_difference_on_all_loads_is_named_over_all_loads) {
  const auto seen = of_runs(100, {.spread = 0.03, .common_difference = std::log(0.97)});
  BOOST_TEST_MESSAGE(seen.overall_lower << " of 100, interval right " << seen.overall_right);
  BOOST_TEST(seen.overall_lower >= most_of_a_hundred);
  BOOST_TEST(seen.overall_right >= most_of_a_hundred);
}

// Single loads differ here, so the overall answer may be a difference; but there is none.
BOOST_AUTO_TEST_CASE(differences_that_cancel_out_are_none_over_all_loads) {
  const auto seen = of_runs(200, {.spread = 0.015, .others_difference = std::log(1.05)});
  BOOST_TEST_MESSAGE(seen.with_a_difference << " with a difference, over all loads "
                                            << seen.overall_lower + seen.overall_higher);
  BOOST_TEST(seen.with_a_difference == (sanitized ? 20 : 200));
  BOOST_TEST(seen.overall_lower + seen.overall_higher <= 15);
}

// Without the widening, 50 of 200 runs said so.
BOOST_AUTO_TEST_CASE(blocks_that_resemble_their_predecessors_widen_the_intervals) {
  const auto seen = of_runs(200, {.spread = 0.03, .autocorrelation = 0.3});
  BOOST_TEST_MESSAGE(seen.with_a_difference << " of 200");
  BOOST_TEST(seen.with_a_difference <= 20);
  std::mt19937 random{7};
  const auto even = bench::analyse(run_of({.spread = 0.03, .rounds = 24}, random));
  const auto uneven =
      bench::analyse(run_of({.spread = 0.03, .rounds = 24, .autocorrelation = 0.6}, random));
  BOOST_TEST(even.autocorrelation.value() < 0.15);
  BOOST_TEST(uneven.autocorrelation.value() > 0.4);
}
