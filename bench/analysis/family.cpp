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

// cpu_at_rate is that of a rate_curve, whose servers were loaded alone.
enum class metric { cpu, cpu_at_rate, throughput, p50, p99 };

// How a run reads its series: how often it was looked at, and how far its blocks are correlated.
struct manner {
  looks looked;
  double widening;

  estimate interval(const std::vector<double>& logs) const {
    return widened(interval_over(logs, looked), widening);
  }
  // What the rows have of the significance. The rest is for the answers over all loads, which
  // decide when a watched run ends.
  double share_of_rows() const { return looked == looks::once ? 1 : 0.5; }

  in_family place(std::optional<in_family> of) const {
    auto found = of.value_or(in_family{});
    found.looked = looked;
    return found;
  }
};

// What is to be judged, with all that its verdict depends on.
struct candidate {
  bench::metric metric;
  const scenario* load;
  const comparison* pair;
  std::vector<double> logs;
  std::vector<int> rounds;              // of `logs`
  judged_ratio* judged = nullptr;       // where its verdict goes; null: a row has it
  std::optional<in_family> place = {};  // absent: judged by itself
};

std::vector<int> rounds_of(const std::vector<block_cost>& blocks) {
  std::vector<int> rounds;
  for (const auto& each : blocks) rounds.push_back(each.round);
  return rounds;
}

bool is_latency(const candidate& of) {
  return of.metric == metric::p50 || of.metric == metric::p99;
}

void add_costs(std::vector<candidate>& all, const results& found) {
  for (const auto& row : found.costs)
    if (row.verdict.what != finding::unmeasured)
      all.push_back({metric::cpu, &row.scenario, &row.comparison, log_ratios_of(row.blocks),
                     rounds_of(row.blocks)});
}

template <class Row>
const block_group* group_of(const Row& row, const std::vector<block_group>& groups) {
  return find_group(groups, row.scenario, row.comparison);
}

void add_costs_at_rates(std::vector<candidate>& all, results& found,
                        const std::vector<block_group>& groups) {
  for (auto& curve : *found.rate_curves)
    for (auto& point : curve.points) {
      const auto* group = find_group(groups, point.scenario, curve.comparison);
      if (!group || point.cpu.verdict.what == finding::unmeasured) continue;
      const auto& blocks = point.scenario.open_loop() ? group->open_loop : group->exclusive;
      all.push_back({metric::cpu_at_rate, &point.scenario, &curve.comparison,
                     log_ratios(blocks, cost_of), rounds_of(blocks, cost_of), &point.cpu});
    }
}

template <class Row>
candidate candidate_of(metric of, const Row& row, const blocks_view& blocks, slice_value value) {
  return {of, &row.scenario, &row.comparison, log_ratios(blocks, value), rounds_of(blocks, value)};
}

void add_throughputs(std::vector<candidate>& all, const results& found,
                     const std::vector<block_group>& groups) {
  for (const auto& row : found.loads) {
    if (row.throughput_verdict) continue;
    if (const auto* group = group_of(row, groups))
      all.push_back(candidate_of(metric::throughput, row, group->exclusive, rate_of));
  }
}

template <class Row>
void add_latencies(std::vector<candidate>& all, std::vector<Row>& rows,
                   blocks_view block_group::*blocks, const std::vector<block_group>& groups) {
  for (auto& row : rows) {
    const auto* group = group_of(row, groups);
    if (!group) continue;
    const auto add = [&](metric of, slice_value value, std::optional<judged_ratio>& latency) {
      if (!latency || latency->verdict.what == finding::unmeasured) return;
      all.push_back(candidate_of(of, row, group->*blocks, value));
      all.back().judged = &*latency;
    };
    add(metric::p50, p50_of, row.p50);
    add(metric::p99, p99_of, row.p99);
  }
}

// Latency does not count: in a closed loop it says again what throughput says.
double common_autocorrelation_of(const results& found, const std::vector<candidate>& all) {
  std::vector<std::vector<double>> series;
  for (const auto& each : all)
    if (!is_latency(each)) series.push_back(each.logs);
  for (const auto& row : found.controls) series.push_back(log_ratios_of(row.blocks));
  return common_autocorrelation(series);
}

// The same two servers under the same connections and messages, at whatever rate.
bool are_about_the_same(const candidate& a, const candidate& b) {
  return *a.pair == *b.pair && a.load->at_full_rate() == b.load->at_full_rate();
}

bool is_named_in_advance(const candidate& of) {
  return of.metric == metric::cpu || of.metric == metric::cpu_at_rate;
}

// The parts of its share that a test passes on to the next one about the same.
constexpr double to_throughput = 0.5;
constexpr double to_latency = 0.1;

// Where the significance of each goes; see the head of family.hpp.
test_plan plan_of(const std::vector<const candidate*>& family) {
  const auto tests = family.size();
  test_plan plan{std::vector<double>(tests, 0.0),
                 std::vector<std::vector<double>>(tests, std::vector<double>(tests, 0.0))};
  std::vector<std::size_t> first;                // tests that have a share from the beginning
  std::vector<std::size_t> after(tests, tests);  // after[i]: the one that follows test i
  for (std::size_t i = 0; i < tests; ++i) {
    std::size_t before = i;  // the last one before it that is about the same
    while (before > 0 && !are_about_the_same(*family[before - 1], *family[i])) --before;
    if (is_named_in_advance(*family[i])) before = 0;
    if (before > 0)
      after[before - 1] = i;
    else
      first.push_back(i);
  }
  const auto heads = static_cast<double>(first.size());
  for (const auto i : first) plan.shares[i] = 1 / heads;
  for (std::size_t i = 0; i < tests; ++i) {
    const bool begins = plan.shares[i] > 0;
    const double others = begins ? heads - 1 : heads;
    const double part = after[i] == tests               ? 0
                        : is_latency(*family[after[i]]) ? to_latency
                                                        : to_throughput;
    const double onwards = part > 0 && others <= 0 ? 1 : part;
    if (onwards > 0) plan.passes[i][after[i]] = onwards;
    for (const auto k : first)
      if (k != i) plan.passes[i][k] = (1 - onwards) / others;
  }
  return plan;
}

void correct(std::vector<candidate>& all, const manner& read) {
  std::vector<const candidate*> family;
  std::vector<double> probabilities;
  for (const auto& each : all)
    if (!is_injected(*each.pair)) {
      family.push_back(&each);
      probabilities.push_back(p_over(each.logs, read.looked, read.widening));
    }
  if (family.empty()) return;
  const auto plan = plan_of(family);
  const auto first =
      std::count_if(plan.shares.begin(), plan.shares.end(), [](double share) { return share > 0; });
  const auto corrected = plan_corrected(probabilities, plan);
  std::size_t next = 0;
  for (auto& each : all) {
    if (is_injected(*each.pair)) continue;
    const bool has_share = plan.shares[next] > 0;
    each.place = in_family{has_share ? static_cast<std::size_t>(first) : 0,
                           std::min(1.0, corrected[next] / read.share_of_rows())};
    ++next;
  }
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

// No control tells the noise of throughput and latency, so their margin is the smallest one.
constexpr yardstick alone_yardstick{smallest_margin, 'A'};

void give_verdict(cost_row& row, const candidate& judged, const results& found,
                  const manner& read) {
  const auto [margin, grade] = yardstick_of(found, row.decided_by);
  const auto log_ratio = read.interval(judged.logs);
  row.ratio = ratio_from_log(log_ratio);
  if (log_ratio.range) row.smallest_visible = std::expm1(log_ratio.range->half_width());
  row.p_in_run = p_of(judged);
  row.verdict = judge(log_ratio, log_from_ratio(row.exclusive_ratio), margin, grade,
                      read.place(judged.place));
}

void give_verdict(load_row& row, const candidate& judged, const manner& read) {
  const auto log_ratio = read.interval(judged.logs);
  row.throughput_ratio = ratio_from_log(log_ratio);
  row.throughput_p = p_of(judged);
  row.throughput_verdict =
      judge(log_ratio, alone_yardstick.margin, alone_yardstick.grade, read.place(judged.place));
}

void give_verdict(const candidate& judged, const results& found, const manner& read) {
  const auto log_ratio = read.interval(judged.logs);
  const auto [margin, grade] =
      is_latency(judged) ? alone_yardstick : yardstick_of(found, block_kind::exclusive);
  *judged.judged = {ratio_from_log(log_ratio), p_of(judged),
                    judge(log_ratio, margin, grade, read.place(judged.place))};
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

// `p`: 0 where a row of these loads is called different; else 1, or that of the mean itself.
std::optional<overall_metric> overall_of(const std::vector<const candidate*>& loads, double p,
                                         const manner& read, yardstick of) {
  if (loads.empty()) return std::nullopt;
  const auto log_ratio = read.interval(means_of_rounds(loads));
  overall_metric found;
  for (const auto* each : loads) found.loads.push_back(*each->load);
  found.ratio = ratio_from_log(log_ratio);
  found.verdict = judge(log_ratio, of.margin, of.grade, read.place(in_family{loads.size(), p}));
  return found;
}

std::vector<overall_row> overall_rows(const results& found, const std::vector<candidate>& all,
                                      const manner& read) {
  const auto in_conflict = [&](const candidate& each) {
    return std::any_of(found.costs.begin(), found.costs.end(), [&](const cost_row& row) {
      return &row.scenario == each.load && row.verdict.what == finding::conflict;
    });
  };
  const auto loads_of = [&](const comparison& pair, metric of) {
    std::vector<const candidate*> loads;
    for (const auto& each : all)
      if (each.metric == of && *each.pair == pair && !in_conflict(each)) loads.push_back(&each);
    return loads;
  };
  const auto differs = [](const std::vector<const candidate*>& loads) {
    return std::any_of(loads.begin(), loads.end(), [](const candidate* each) {
      return !each->place || each->place->p <= significance;
    });
  };
  const auto pairs = pairs_of(found);
  const auto asked = static_cast<double>(std::count_if(
      pairs.begin(), pairs.end(), [](const auto& each) { return !is_injected(each); }));
  // Each answer on CPU has an equal part of what the rows do not have.
  const auto p_of_mean = [&](const std::vector<const candidate*>& loads) {
    const double share = (1 - read.share_of_rows()) / std::max(1.0, asked);
    if (share == 0) return 1.0;
    return std::min(1.0, p_over(means_of_rounds(loads), read.looked, read.widening) / share);
  };
  std::vector<overall_row> rows;
  for (const auto& pair : pairs) {
    const auto costs = loads_of(pair, metric::cpu), speeds = loads_of(pair, metric::throughput);
    rows.push_back({pair,
                    overall_of(costs, differs(costs) ? 0 : p_of_mean(costs), read,
                               yardstick_of(found, costs_of(found, pair).front()->decided_by)),
                    overall_of(speeds, differs(speeds) ? 0 : 1, read, alone_yardstick)});
  }
  return rows;
}

}  // namespace

void judge_together(results& found, const std::vector<block_group>& groups, looks looked) {
  std::vector<candidate> all;
  // First, so that the throughput under the full load follows its row of CPU.
  add_costs_at_rates(all, found, groups);
  add_costs(all, found);
  add_throughputs(all, found, groups);
  add_latencies(all, found.loads, &block_group::exclusive, groups);
  add_latencies(all, found.open_loops, &block_group::open_loop, groups);
  found.autocorrelation = common_autocorrelation_of(found, all);
  const manner read{looked, widening_of(*found.autocorrelation)};
  correct(all, read);
  for (const auto& each : all) {
    for (auto& row : found.costs)
      if (&row.scenario == each.load) give_verdict(row, each, found, read);
    for (auto& row : found.loads)
      if (each.metric == metric::throughput && &row.scenario == each.load)
        give_verdict(row, each, read);
    if (each.judged) give_verdict(each, found, read);
  }
  found.overall = overall_rows(found, all, read);
}

}  // namespace bench
