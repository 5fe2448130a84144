#include <bench/analysis/family.hpp>

#include <algorithm>
#include <bench/analysis/costs.hpp>
#include <bench/server/catalogue.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

namespace bench {
namespace {

bool is_control(const comparison& pair) {
  return injected_ns(pair.contender) || injected_ns(pair.base);
}

// A row of the run with all that its verdict depends on.
struct candidate {
  const scenario* load;
  const comparison* pair;
  std::vector<double> logs;
  std::vector<int> rounds;  // of `logs`
  bool throughput = false;
  std::optional<in_family> place = {};  // absent: judged by itself
};

std::vector<int> rounds_of(const std::vector<block_cost>& blocks) {
  std::vector<int> rounds;
  for (const auto& each : blocks) rounds.push_back(each.round);
  return rounds;
}

std::vector<candidate> cost_candidates(const results& found) {
  std::vector<candidate> all;
  for (const auto& row : found.costs)
    if (row.verdict.what != finding::unmeasured)
      all.push_back(
          {&row.scenario, &row.comparison, log_ratios_of(row.blocks), rounds_of(row.blocks)});
  return all;
}

std::vector<candidate> throughput_candidates(const results& found,
                                             const std::vector<block_group>& groups) {
  std::vector<candidate> all;
  for (const auto& row : found.loads) {
    if (row.throughput_verdict) continue;
    for (const auto& each : groups)
      if (!each.control && each.scenario == row.scenario && each.comparison == row.comparison)
        all.push_back({&row.scenario, &row.comparison, log_ratios(each.exclusive, rate_of),
                       rounds_of(each.exclusive, rate_of), true});
  }
  return all;
}

double common_autocorrelation_of(const results& found, const std::vector<candidate>& all) {
  std::vector<std::vector<double>> series;
  for (const auto& each : all) series.push_back(each.logs);
  for (const auto& row : found.controls) series.push_back(log_ratios_of(row.blocks));
  return common_autocorrelation(series);
}

// Where the significance of a row goes; see the head of family.hpp. A throughput whose CPU is not
// judged stands beside the rows of CPU.
test_plan plan_of(const std::vector<const candidate*>& family) {
  const auto tests = family.size();
  test_plan plan{std::vector<double>(tests, 0.0),
                 std::vector<std::vector<double>>(tests, std::vector<double>(tests, 0.0))};
  std::vector<std::size_t> first;                // tests that have a share from the beginning
  std::vector<std::size_t> after(tests, tests);  // after[i]: the throughput that follows test i
  for (std::size_t i = 0; i < tests; ++i) {
    bool follows = false;
    for (std::size_t j = 0; j < tests; ++j)
      if (family[i]->throughput && !family[j]->throughput && *family[j]->load == *family[i]->load &&
          *family[j]->pair == *family[i]->pair) {
        after[j] = i;
        follows = true;
      }
    if (!follows) first.push_back(i);
  }
  const auto equal_share = 1 / static_cast<double>(first.size());
  for (const auto i : first) {
    plan.shares[i] = equal_share;
    const bool leads = after[i] != tests;
    const auto others = static_cast<double>(first.size() - 1);
    if (leads) {
      plan.passes[i][after[i]] = others > 0 ? 0.5 : 1;
      for (const auto k : first) plan.passes[after[i]][k] = equal_share;
    }
    for (const auto k : first)
      if (k != i) plan.passes[i][k] = (leads ? 0.5 : 1) / others;
  }
  return plan;
}

void correct(std::vector<candidate>& all, double widening) {
  std::vector<const candidate*> family;
  std::vector<double> probabilities;
  for (const auto& each : all)
    if (!is_control(*each.pair)) {
      family.push_back(&each);
      probabilities.push_back(signed_rank_p(each.logs, widening));
    }
  if (family.empty()) return;
  const auto corrected = plan_corrected(probabilities, plan_of(family));
  std::size_t next = 0;
  for (auto& each : all)
    if (!is_control(*each.pair)) each.place = in_family{corrected.size(), corrected[next++]};
}

std::optional<double> p_of(const candidate& judged) {
  return judged.place ? std::optional{judged.place->p} : std::nullopt;
}

// Below what a difference of CPU does not count, and in what noise.
struct yardstick {
  double margin;
  char grade;
};

yardstick yardstick_of(const results& found, block_kind decided_by) {
  const bool shared = decided_by == block_kind::duet;
  return {shared ? found.margin : found.margin_alone,
          grade_of(shared || !found.noise_alone ? found.noise : found.noise_alone)};
}

// No control tells the noise of throughput, so its margin is the smallest one.
constexpr yardstick throughput_yardstick{smallest_margin, 'A'};

void give_verdict(cost_row& row, const candidate& judged, const results& found, double widening) {
  const auto [margin, grade] = yardstick_of(found, row.decided_by);
  const auto log_ratio = widened(signed_rank_interval(judged.logs), widening);
  row.ratio = ratio_from_log(log_ratio);
  if (log_ratio.range) row.smallest_visible = std::expm1(log_ratio.range->half_width());
  row.p_in_run = p_of(judged);
  row.verdict = judge(log_ratio, log_from_ratio(row.exclusive_ratio), margin, grade,
                      judged.place.value_or(in_family{}));
}

void give_verdict(load_row& row, const candidate& judged, double widening) {
  const auto log_ratio = widened(signed_rank_interval(judged.logs), widening);
  row.throughput_ratio = ratio_from_log(log_ratio);
  row.throughput_p = p_of(judged);
  row.throughput_verdict = judge(log_ratio, throughput_yardstick.margin, throughput_yardstick.grade,
                                 judged.place.value_or(in_family{}));
}

// The mean over the loads of each round that has all of them. What disturbs a whole round disturbs
// all its loads, so the round is the unit of replication here.
std::vector<double> means_of_rounds(const std::vector<const candidate*>& loads) {
  std::map<int, std::vector<double>> logs_of;
  for (const auto* each : loads)
    for (std::size_t i = 0; i < each->logs.size(); ++i)
      logs_of[each->rounds[i]].push_back(each->logs[i]);
  std::vector<double> means;
  for (const auto& [round, logs] : logs_of)
    if (logs.size() == loads.size())
      means.push_back(std::accumulate(logs.begin(), logs.end(), 0.0) /
                      static_cast<double>(logs.size()));
  return means;
}

// `differs`: a row of these loads is called different.
std::optional<overall_metric> overall_of(const std::vector<const candidate*>& loads, bool differs,
                                         double widening, yardstick of) {
  if (loads.empty()) return std::nullopt;
  const auto log_ratio = widened(signed_rank_interval(means_of_rounds(loads)), widening);
  overall_metric found;
  for (const auto* each : loads) found.loads.push_back(*each->load);
  found.ratio = ratio_from_log(log_ratio);
  found.verdict =
      judge(log_ratio, of.margin, of.grade, in_family{loads.size(), differs ? 0.0 : 1.0});
  return found;
}

std::vector<overall_row> overall_rows(const results& found, const std::vector<candidate>& all,
                                      double widening) {
  const auto in_conflict = [&](const candidate& each) {
    return std::any_of(found.costs.begin(), found.costs.end(), [&](const cost_row& row) {
      return &row.scenario == each.load && row.verdict.what == finding::conflict;
    });
  };
  const auto loads_of = [&](const comparison& pair, bool throughput) {
    std::vector<const candidate*> loads;
    for (const auto& each : all)
      if (each.throughput == throughput && *each.pair == pair && !in_conflict(each))
        loads.push_back(&each);
    return loads;
  };
  const auto differs = [](const std::vector<const candidate*>& loads) {
    return std::any_of(loads.begin(), loads.end(), [](const candidate* each) {
      return !each->place || each->place->p <= significance;
    });
  };
  std::vector<overall_row> rows;
  for (const auto& pair : pairs_of(found)) {
    const auto costs = loads_of(pair, false), speeds = loads_of(pair, true);
    rows.push_back({pair,
                    overall_of(costs, differs(costs), widening,
                               yardstick_of(found, costs_of(found, pair).front()->decided_by)),
                    overall_of(speeds, differs(speeds), widening, throughput_yardstick)});
  }
  return rows;
}

}  // namespace

void judge_together(results& found, const std::vector<block_group>& groups) {
  auto all = cost_candidates(found);
  for (auto& each : throughput_candidates(found, groups)) all.push_back(std::move(each));
  found.autocorrelation = common_autocorrelation_of(found, all);
  const double widening = widening_of(*found.autocorrelation);
  correct(all, widening);
  for (const auto& each : all) {
    for (auto& row : found.costs)
      if (!each.throughput && &row.scenario == each.load) give_verdict(row, each, found, widening);
    for (auto& row : found.loads)
      if (each.throughput && &row.scenario == each.load) give_verdict(row, each, widening);
  }
  found.overall = overall_rows(found, all, widening);
}

}  // namespace bench
