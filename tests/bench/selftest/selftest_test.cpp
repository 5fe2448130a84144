// Each proof of the selftest holds for good measurements and fails for bad ones.
#include <bench/selftest/selftest.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

namespace {

using bench::block;
using bench::slice;

constexpr int rounds = 8;
constexpr double base_ns = 6000;

// Duets in which the contender costs `extra_ns` more. `noise`: standard deviation of ln(ratio).
std::vector<block> duets(double extra_ns, double noise) {
  std::mt19937 random{5};
  std::normal_distribution<double> normal;
  std::vector<block> blocks;
  for (int round = 0; round < rounds; ++round) {
    block each;
    each.round = round;
    each.scenario = bench::scenario::parse("c64/512");
    each.comparison = {"base", "contender", std::nullopt};
    const double costs[] = {base_ns, (base_ns + extra_ns) * std::exp(noise * normal(random))};
    for (int launch = 0; launch < 2; ++launch) {
      slice timed;
      timed.server = launch == 0 ? "base" : "contender";
      timed.launch = launch;
      timed.seconds = 0.2;
      timed.messages = 1000;
      timed.cpu_ns = costs[launch] * 1000;
      each.slices.push_back(timed);
    }
    blocks.push_back(each);
  }
  return blocks;
}

slice with_p99(double us) {
  slice timed;
  timed.p99_us = us;
  return timed;
}

}  // namespace

BOOST_AUTO_TEST_CASE(equal_servers_are_the_same_on_a_quiet_and_on_a_noisy_machine) {
  BOOST_TEST(bench::judge_same(duets(0, 0.005)).holds);
  BOOST_TEST(bench::judge_same(duets(0, 0.05)).holds);
  const auto in_noise = bench::judge_same(duets(0, 0.2));
  BOOST_TEST(!in_noise.holds);
  BOOST_TEST(in_noise.words.starts_with("not provable in such noise"));
}

BOOST_AUTO_TEST_CASE(servers_that_differ_are_not_the_same) {
  BOOST_TEST(!bench::judge_same(duets(200, 0.005)).holds);
  BOOST_TEST(!bench::judge_same(duets(-1000, 0.02)).holds);
  BOOST_TEST(!bench::judge_same({}).holds);
}

BOOST_AUTO_TEST_CASE(nothing_is_proved_where_others_take_the_processor) {
  auto same = duets(0, 0.005), slower = duets(1000, 0.005);
  for (auto* blocks : {&same, &slower})
    for (auto& each : *blocks) each.foreign_cpu_share = 0.5;
  BOOST_TEST(!bench::judge_same(same).holds);
  BOOST_TEST(bench::judge_same(same).words.ends_with(
      "other programs took 50 % of the servers' processor"));
  BOOST_TEST(!bench::judge_injected(slower, 1000).holds);
}

BOOST_AUTO_TEST_CASE(an_injected_cost_is_found_where_it_is_and_about_as_large) {
  for (const double found : {550.0, 1000.0, 1250.0})
    BOOST_TEST(bench::judge_injected(duets(found, 0.005), 1000).holds, found << " ns");
  for (const double found : {0.0, 400.0, 1500.0, -1000.0})
    BOOST_TEST(!bench::judge_injected(duets(found, 0.005), 1000).holds, found << " ns");
  BOOST_TEST(!bench::judge_injected(duets(1000, 0.5), 1000).holds, "no verdict in such noise");
  BOOST_TEST(!bench::judge_injected({}, 1000).holds);
}

BOOST_AUTO_TEST_CASE(a_stall_belongs_into_the_open_loop_alone) {
  const auto stalled = with_p99(95'000);
  const auto smooth = with_p99(200);
  BOOST_TEST(bench::judge_omission(smooth, stalled, 100'000).holds);
  BOOST_TEST(!bench::judge_omission(smooth, smooth, 100'000).holds);
  BOOST_TEST(!bench::judge_omission(stalled, stalled, 100'000).holds);
  BOOST_TEST(!bench::judge_omission(stalled, smooth, 100'000).holds);
}

BOOST_AUTO_TEST_CASE(one_liar_that_is_scored_is_too_many) {
  BOOST_TEST(bench::judge_refusal({{"wrong", "wrong reply"}, {"short", "silent"}}).holds);
  const auto scored = bench::judge_refusal({{"wrong", "wrong reply"}, {"fixed", std::nullopt}});
  BOOST_TEST(!scored.holds);
  BOOST_TEST(scored.words == "wrong reply; fixed was scored as if it were right");
  BOOST_TEST(!bench::judge_refusal({}).holds);
}

BOOST_AUTO_TEST_CASE(a_client_that_is_late_or_counts_wrong_is_said) {
  BOOST_TEST(bench::judge_client({170'000, 12, 0.004}).holds);
  BOOST_TEST(!bench::judge_client({170'000, 900, 0.004}).holds);
  BOOST_TEST(!bench::judge_client({170'000, 12, 0.02}).holds);
}

BOOST_AUTO_TEST_CASE(percentiles_are_as_exact_as_the_histogram_promises) {
  for (const std::uint64_t seed : {1U, 2U, 3U})
    BOOST_TEST(bench::worst_percentile_error(50'000, seed) < 0.008);
}
