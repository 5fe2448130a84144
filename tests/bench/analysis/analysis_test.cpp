// analyse() finds the differences of cost that a synthetic run contains, and no others.
#include <bench/analysis/analysis.hpp>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

#include <tests/bench/analysis/cost_row_of.hpp>
#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

using bench::analyse;
using bench::finding;

BOOST_AUTO_TEST_CASE(the_planted_overheads_are_found_though_the_kernels_share_wanders) {
  const auto found = analyse(synthetic_run({.rounds = 20, .noise = 0.002}));
  const auto& row = row_of(found, "c64/512", "fibers/epoll");
  BOOST_REQUIRE(row.contender.overhead_ns && row.base.overhead_ns);
  BOOST_TEST(!row.contender.overhead_ns->range->excludes(55));
  BOOST_TEST(!row.base.overhead_ns->range->excludes(480));
  BOOST_TEST(row.contender.overhead_ns->range->half_width() < 10);
  BOOST_TEST(row.verdict.what == finding::lower);
  BOOST_TEST(std::abs(row.overhead_ratio->value - 55.0 / 480) < 0.03);
  BOOST_TEST(found.headlines.at(2).starts_with("On c64/512, fibers/epoll costs 5"));
  BOOST_TEST(
      contains(found.headlines.at(2), "per message above the bare loop, asio-callback/epoll 4"));
}

BOOST_AUTO_TEST_CASE(two_servers_that_cost_the_same_are_not_called_different) {
  synthetic_truth truth;
  truth.noise = 0.004;
  truth.library_ns["fibers/epoll"] = truth.library_ns["asio-callback/epoll"];
  const auto found = analyse(synthetic_run(truth));
  const auto said = row_of(found, "c64/512", "fibers/epoll").verdict.what;
  BOOST_TEST((said == finding::equivalent || said == finding::inconclusive));
}

BOOST_AUTO_TEST_CASE(a_control_block_is_never_a_result) {
  const auto found = analyse(synthetic_run());
  BOOST_TEST(found.controls.size() == 1U);
  BOOST_TEST(found.controls[0].blocks.size() == 10U);
  for (const auto& row : found.costs) BOOST_TEST(row.base.server != row.contender.server);
  BOOST_REQUIRE(found.noise);
  BOOST_TEST(found.noise->grade == 'A');
}

// A file may say anything, and its report is still numbers.
BOOST_AUTO_TEST_CASE(counts_that_do_not_fit_together_are_the_largest_count) {
  auto record = synthetic_run({.rounds = 2});
  for (auto& block : record.blocks)
    for (auto& slice : block.slices) {
      slice.messages = std::numeric_limits<std::int64_t>::max();
      slice.checked = std::numeric_limits<std::int64_t>::max();
      if (slice.open_loop) slice.open_loop->due = std::numeric_limits<std::int64_t>::max();
    }
  const auto found = bench::analyse(record);
  BOOST_TEST(found.messages == std::numeric_limits<std::int64_t>::max());
  BOOST_TEST(found.checked.value() == std::numeric_limits<std::int64_t>::max());
  BOOST_TEST(found.open_loops.front().base.answered == 1);
}

BOOST_AUTO_TEST_CASE(a_cost_that_no_clock_measures_is_none) {
  for (const double cost : {1e-300, 1e300}) {
    auto record = synthetic_run({.rounds = 6});
    for (auto& block : record.blocks)
      for (auto& slice : block.slices)
        if (slice.launch == 1) slice.cpu_ns = cost;
    for (const auto& row : bench::analyse(record).costs) BOOST_TEST(row.ratio.n == 0);
  }
}
