// A gate passes what did not change, fails what did, and says so where it cannot tell.
#include <bench/analysis/analysis.hpp>
#include <bench/compare/gate.hpp>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <stdexcept>
#include <string>

#include <tests/bench/analysis/even_run.hpp>
#include <tests/bench/synthetic_run.hpp>
#include <tests/sanitized.hpp>
#include <tests/texts.hpp>

using bench::gate_result;
using bench::judge_gate;

namespace {

constexpr int simulated = sanitized ? 10 : 100;

// How many runs of such a truth end so under a gate of 3 %.
int ending(gate_result wanted, const even_run& truth) {
  std::mt19937 random{2026};
  int count = 0;
  for (int i = 0; i < simulated; ++i)
    count += judge_gate(bench::analyse(run_of(truth, random)), 0.03).result == wanted ? 1 : 0;
  return count;
}

bench::results run_whose_contender_costs(double ratio) {
  std::mt19937 random{1};
  return bench::analyse(run_of({.common_difference = std::log(ratio)}, random));
}

}  // namespace

BOOST_AUTO_TEST_CASE(unchanged_programs_pass_a_gate_and_slower_ones_fail) {
  for (const double spread : {0.007, 0.02}) {
    BOOST_TEST(ending(gate_result::passed, {.spread = spread}) >= simulated * 95 / 100);
    const even_run slower{.spread = spread, .common_difference = std::log(1.05)};
    BOOST_TEST(ending(gate_result::failed, slower) >= simulated * 90 / 100);
  }
}

BOOST_AUTO_TEST_CASE(a_gate_says_what_it_saw_of_whom) {
  const auto judged = judge_gate(run_whose_contender_costs(1.1), 0.03);
  BOOST_TEST((judged.result == gate_result::failed));
  BOOST_REQUIRE(judged.reasons.size() == 1U);
  const auto& reason = judged.reasons.front();
  BOOST_TEST(contains(reason, "fibers/epoll against asio-callback/epoll: CPU per message +"));
  BOOST_TEST(reason.ends_with("over 11 loads"), reason);
  BOOST_TEST((judge_gate(run_whose_contender_costs(0.9), 0.03).result == gate_result::passed));
  BOOST_TEST(
      (judge_gate(run_whose_contender_costs(1.03), 0.03).result == gate_result::inconclusive));
}

// Every pair is judged, and one that fails is enough.
BOOST_AUTO_TEST_CASE(one_slower_pair_fails_a_gate_however_much_another_gained) {
  synthetic_truth truth{.noise = 0.002};
  truth.library_ns["fibers/select"] += 6000;
  const auto judged = judge_gate(bench::analyse(synthetic_run(truth)), 0.03);
  BOOST_TEST((judged.result == gate_result::failed));
  BOOST_TEST(judged.reasons.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_run_that_cannot_tell_neither_passes_nor_fails) {
  const auto expect = [](const bench::results& found, const std::string& why) {
    const auto judged = judge_gate(found, 0.03);
    BOOST_TEST((judged.result == gate_result::inconclusive));
    std::string all;
    for (const auto& each : judged.reasons) all += each + '\n';
    BOOST_TEST(contains(all, why), all);
  };
  expect(bench::analyse(synthetic_run({.rounds = 5})), "too few rounds for an interval");
  expect(bench::analyse(synthetic_run({.control_swing = 0.2})), "noise grade D");
  auto record = synthetic_run();
  record.caveats_found.push_back(bench::caveats::debug_build{"fibers/epoll"});
  expect(bench::analyse(record), "a debug or sanitizer build");
  expect(bench::analyse(with_target(synthetic_run({.select_too = false}))), "not known");
  expect({}, "of no two servers the run has the CPU per message");
}

BOOST_AUTO_TEST_CASE(what_was_left_out_passes_no_gate_and_saves_nobody_from_failing_one) {
  for (const double ratio : {1.0, 1.1}) {
    std::mt19937 random{1};
    auto record = run_of({.common_difference = std::log(ratio)}, random);
    record.caveats_found.push_back(
        bench::caveats::server_missing{"fibers/io_uring", "there is no such program"});
    const auto judged = judge_gate(bench::analyse(record), 0.03);
    BOOST_TEST((judged.result == (ratio > 1 ? gate_result::failed : gate_result::inconclusive)));
    BOOST_TEST(contains(judged.reasons.back(), "there is no such program"));
  }
  auto found = run_whose_contender_costs(1);
  found.costs.front().verdict = {bench::finding::conflict, "conflict, no verdict", {}};
  const auto judged = judge_gate(found, 0.03);
  BOOST_TEST((judged.result == gate_result::inconclusive));
  BOOST_TEST(judged.reasons.back() ==
             "fibers/epoll against asio-callback/epoll on c1/64: conflict, no verdict");
}

// The cost that a run injects into its control is known, and no regression.
BOOST_AUTO_TEST_CASE(injected_cost_passes_every_gate) {
  std::mt19937 random{1};
  auto record = run_of({}, random);
  const auto blocks = record.blocks;
  for (auto each : blocks) {
    if (each.control || each.kind != bench::block_kind::duet) continue;
    each.comparison = {"fibers/epoll", "fibers/epoll/inject1000ns", {}};
    for (auto& timed : each.slices)
      if (timed.launch == 1) *timed.cpu_ns *= 1.2;
    record.blocks.push_back(each);
  }
  BOOST_TEST((judge_gate(bench::analyse(record), 0.03).result == gate_result::passed));
}

BOOST_AUTO_TEST_CASE(a_gate_is_a_percentage) {
  BOOST_TEST(bench::parse_percentage("3%") == 0.03);
  BOOST_TEST(bench::parse_percentage("0.5 %") == 0.005);
  BOOST_TEST(bench::parse_percentage("3") == 0.03);
  for (const auto* wrong : {"", "%", "3%%", "-1%", "0", "101%", "nan", "inf", "3 x", "x3"})
    BOOST_CHECK_THROW(bench::parse_percentage(wrong), std::invalid_argument);
}
