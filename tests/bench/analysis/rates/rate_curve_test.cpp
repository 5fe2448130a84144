// Loads that differ only in their rate become a curve, whose CPU is judged at each rate.
#include <bench/analysis/analysis.hpp>
#include <bench/analysis/rates/rate_curve.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <tests/bench/analysis/cost_row_of.hpp>
#include <tests/bench/analysis/even_run.hpp>
#include <tests/bench/part_load_run.hpp>
#include <tests/sanitized.hpp>

using bench::analyse;
using bench::block_kind;
using bench::finding;

namespace {

bench::rate_curve only_curve(const bench::results& found) {
  BOOST_REQUIRE(found.rate_curves.has_value());
  BOOST_REQUIRE(found.rate_curves->size() == 1U);
  return found.rate_curves->front();
}

std::vector<std::string> loads_of(const bench::rate_curve& curve) {
  std::vector<std::string> names;
  for (const auto& each : curve.points) names.push_back(each.scenario.text());
  return names;
}

// The even run with open loops instead of its first rows, in which nothing differs either.
bench::run_record even_rates(const even_run& truth, std::mt19937& random) {
  auto record = run_of(truth, random);
  const std::vector<int> percents{10, 30, 50, 80};
  for (auto& each : record.blocks) {
    const auto row = static_cast<std::size_t>(each.scenario.connections - 1);
    if (each.control || each.kind != block_kind::exclusive || row >= percents.size()) continue;
    each.kind = block_kind::open_loop;
    each.scenario = bench::scenario::parse(fmt::format("c11/64/r{}%", percents[row]));
    const double cost = std::exp(truth.spread * std::normal_distribution<double>{}(random));
    for (auto& timed : each.slices) {
      timed.open_loop = bench::open_loop_times{.rate_per_second = 1e6, .due = timed.messages};
      if (timed.launch == 1) *timed.cpu_ns *= cost;
    }
  }
  return record;
}

}  // namespace

BOOST_AUTO_TEST_CASE(
    loads_that_differ_only_in_their_rate_are_a_curve_and_the_full_load_is_its_end) {
  const auto found = analyse(part_load_run());
  const auto curve = only_curve(found);
  BOOST_TEST(curve.load.text() == "c64/512");
  BOOST_TEST(curve.comparison.contender == "fibers/epoll");
  BOOST_TEST(
      loads_of(curve) == (std::vector<std::string>{"c64/512/r10%", "c64/512/r30%", "c64/512/r50%",
                                                   "c64/512/r80%", "c64/512"}),
      boost::test_tools::per_element());
  for (std::size_t i = 0; i + 1 < curve.points.size(); ++i) {
    const auto& [load, base, contender, cpu] = curve.points[i];
    BOOST_TEST(std::lround(base.messages_per_second.value) == 400 * load.rate_percent);
    BOOST_TEST(contender.messages_per_second.value == base.messages_per_second.value);
    BOOST_TEST(contender.cpu_ns.value > curve.points[i + 1].contender.cpu_ns.value);
  }
  const auto& row = *std::find_if(found.loads.begin(), found.loads.end(), [](const auto& each) {
    return each.scenario.text() == "c64/512";
  });
  BOOST_TEST(curve.points.back().base.messages_per_second.value ==
             row.base.messages_per_second.value);
}

BOOST_AUTO_TEST_CASE(one_rate_beside_the_full_load_is_no_curve) {
  const auto found = analyse(synthetic_run());
  BOOST_REQUIRE(found.rate_curves.has_value());
  BOOST_TEST(found.rate_curves->empty());
}

BOOST_AUTO_TEST_CASE(rates_in_messages_per_second_are_a_curve_too) {
  auto record = part_load_run();
  for (auto& each : record.blocks)
    if (each.kind == block_kind::open_loop)
      each.scenario =
          bench::scenario::parse(fmt::format("c64/512/r{}", 400 * each.scenario.rate_percent));
  const auto curve = only_curve(analyse(record));
  BOOST_TEST(curve.points.size() == 5U);
  BOOST_TEST(rate_words(curve.points.front()) == "fixed");
}

// Two servers that share a core disturb each other, and at a part load none does.
BOOST_AUTO_TEST_CASE(the_end_of_a_curve_is_of_servers_loaded_alone) {
  auto record = part_load_run();
  for (auto& block : record.blocks)
    for (auto& each : block.slices)
      if (block.kind == block_kind::exclusive && each.launch == 1) *each.cpu_ns *= 2;
  const auto found = analyse(record);
  const auto end = only_curve(found).points.back();
  BOOST_TEST(row_of(found, "c64/512", "fibers/epoll").ratio.value < 1);
  BOOST_TEST(end.cpu.ratio.value > 1.7);
  BOOST_TEST(end.contender.cpu_ns.value > 1.7 * end.base.cpu_ns.value);
}

BOOST_AUTO_TEST_CASE(a_difference_at_a_rate_is_named_there) {
  auto record = part_load_run({.rounds = 12, .exclusive_noise = 0.005, .kernel_drift = 0});
  for (auto& block : record.blocks)
    for (auto& each : block.slices)
      if (block.scenario.rate_percent == 10 && each.launch == 1) *each.cpu_ns *= 1.3;
  const auto found = analyse(record);
  const auto curve = only_curve(found);
  for (const auto& [load, base, contender, cpu] : curve.points) {
    BOOST_TEST((cpu.verdict.what == (load.rate_percent == 10 ? finding::higher : finding::lower)),
               load.text());
    BOOST_TEST(cpu.p_in_run.value() < 0.05, load.text());
  }
}

BOOST_AUTO_TEST_CASE(the_cpu_of_a_saturated_server_is_no_point_of_the_curve) {
  auto record = part_load_run();
  for (auto& block : record.blocks)
    for (auto& each : block.slices)
      if (block.scenario.rate_percent == 80 && each.launch == 0) each.messages /= 2;
  const auto point = only_curve(analyse(record)).points[3];
  BOOST_TEST(point.base.saturated);
  BOOST_TEST(point.base.cpu_ns.n == 0U);
  BOOST_TEST((point.cpu.verdict.what == finding::unmeasured));
  BOOST_TEST(point.cpu.verdict.words == "n/a: asio-callback/epoll is saturated");
  BOOST_TEST(point.contender.cpu_ns.n == 10U);
}

BOOST_AUTO_TEST_CASE(where_a_cpu_is_unknown_the_rates_have_latency_alone) {
  auto record = part_load_run();
  for (auto& block : record.blocks)
    for (auto& each : block.slices)
      if (each.launch == 1) each.cpu_ns.reset();
  const auto curve = only_curve(analyse(record));
  for (const auto& each : curve.points) {
    BOOST_TEST(each.cpu.verdict.words == "n/a: the CPU of one of the two is unknown");
    BOOST_TEST(each.contender.p50_us.n == 10U);
  }
}

BOOST_AUTO_TEST_CASE(a_void_run_judges_no_rate) {
  auto record = part_load_run();
  record.caveats_found.push_back(bench::caveats::run_void{"wrong"});
  const auto curve = only_curve(analyse(record));
  for (const auto& each : curve.points)
    BOOST_TEST(each.cpu.verdict.words == "n/a: the run is void");
}

// A mean over all loads is one of closed loops: at the lowest rate most of the cost is that of
// waking up.
BOOST_AUTO_TEST_CASE(the_answer_over_all_loads_leaves_the_rates_out) {
  const auto found = analyse(part_load_run());
  BOOST_TEST(found.overall->front().cpu->loads.size() == 3U);
}

BOOST_AUTO_TEST_CASE(of_a_hundred_runs_in_which_nothing_differs_at_most_five_name_a_rate) {
  std::mt19937 random{2026};
  const int runs = sanitized ? 20 : 200;
  int wrong = 0;
  for (int i = 0; i < runs; ++i) {
    const auto found = analyse(even_rates({.spread = 0.02}, random));
    const auto points = only_curve(found).points;
    BOOST_REQUIRE(points.size() == 5U);
    const bool rate = std::any_of(points.begin(), points.end(), [](const auto& each) {
      return each.cpu.verdict.what == finding::lower || each.cpu.verdict.what == finding::higher;
    });
    const bool row = std::any_of(found.costs.begin(), found.costs.end(), [](const auto& each) {
      return each.verdict.what == finding::lower || each.verdict.what == finding::higher;
    });
    wrong += rate || row ? 1 : 0;
  }
  BOOST_TEST_MESSAGE(wrong << " of " << runs);
  BOOST_TEST(wrong <= runs / 20);
}
