#include <bench/analysis/costs.hpp>

#include <algorithm>
#include <bench/analysis/caveats.hpp>
#include <bench/server/catalogue.hpp>
#include <cmath>
#include <functional>

namespace bench {
namespace {

std::vector<block_cost> block_costs(const blocks_view& blocks) {
  std::vector<block_cost> costs;
  for (const auto* each : blocks) {
    const auto base = value_of(*each, base_launch, cost_of);
    const auto contender = value_of(*each, contender_launch, cost_of);
    if (base && contender && is_measured(*contender / *base))
      costs.push_back({each->round, *base, *contender, value_of(*each, floor_launch, cost_of),
                       *contender / *base});
  }
  return costs;
}

// The estimate over the blocks that have a value.
estimate over(const std::vector<block_cost>& blocks,
              const std::function<std::optional<double>(const block_cost&)>& value, looks looked) {
  std::vector<double> values;
  for (const auto& each : blocks)
    if (const auto x = value(each)) values.push_back(*x);
  return interval_over(values, looked);
}

std::optional<estimate> unless_empty(estimate found) {
  return found.n > 0 ? std::optional{found} : std::nullopt;
}

std::optional<double> minus_floor(double cost, const block_cost& of) {
  return of.floor_ns ? std::optional{cost - *of.floor_ns} : std::nullopt;
}

server_cost cost_of_server(const std::string& name, const std::vector<block_cost>& blocks,
                           double block_cost::*side, looks looked) {
  const auto whole = [side](const block_cost& each) { return each.*side; };
  const auto above = [side](const block_cost& each) { return minus_floor(each.*side, each); };
  return {name, over(blocks, whole, looked), unless_empty(over(blocks, above, looked))};
}

// A ratio of overheads is meaningful only if its denominator is clearly above 0: the base's
// interval must exclude 0 and its overhead must be positive in each block.
std::optional<estimate> overhead_ratio(const cost_row& row, looks looked) {
  const auto& base = row.base.overhead_ns;
  if (!base || !base->range || base->range->low <= 0) return std::nullopt;
  const bool always_positive = std::all_of(
      row.blocks.begin(), row.blocks.end(),
      [](const block_cost& each) { return !each.floor_ns || each.base_ns > *each.floor_ns; });
  if (!always_positive) return std::nullopt;
  const auto ratio = [](const block_cost& each) -> std::optional<double> {
    if (!each.floor_ns) return std::nullopt;
    return (each.contender_ns - *each.floor_ns) / (each.base_ns - *each.floor_ns);
  };
  return unless_empty(over(row.blocks, ratio, looked));
}

// The first of the two that is a target, which was not started here; empty: neither is.
std::string target_in(const comparison& pair, const std::vector<server_info>& servers) {
  for (const auto& name : {pair.contender, pair.base})
    for (const auto& each : servers)
      if (each.name == name && each.target) return name;
  return {};
}

// Why the CPU of the two is not judged; empty: it is judged.
std::string unjudged(const cost_row& row, const blocks_view& blocks, const run_record& record) {
  if (first_of<caveats::run_void>(record.caveats_found)) return "the run is void";
  const auto target = target_in(row.comparison, record.header.servers);
  if (!target.empty()) return target + " was not started here";
  for (const auto& name : {row.comparison.contender, row.comparison.base})
    for (const auto& each : record.caveats_found) {
      if (const auto* found = std::get_if<caveats::cpu_elsewhere>(&each);
          found && found->server == name)
        return "the CPU of " + name + " is that of processes unknown here";
      if (const auto* found = std::get_if<caveats::processes_changed>(&each);
          found && found->server == name && row.blocks.empty())
        return "processes of " + name + " began or ended while it was timed";
    }
  if (row.decided_by == block_kind::duet && !row.blocks.empty() &&
      !may_share_a_core(row.comparison.base, row.comparison.contender))
    return "the two disturb each other on one core";
  if (auto saturated = who_is_saturated(blocks, row.comparison); !saturated.empty())
    return saturated;
  return ruin_in(record.blocks);
}

std::optional<noise> noise_in(const std::vector<control_row>& controls, block_kind kind) {
  std::vector<double> values;
  for (const auto& control : controls)
    if (control.kind == kind)
      for (const double each : log_ratios_of(control.blocks)) values.push_back(each);
  return noise_of(values);
}

}  // namespace

std::vector<double> log_ratios_of(const std::vector<block_cost>& blocks) {
  std::vector<double> logs;
  for (const auto& each : blocks) logs.push_back(std::log(each.ratio));
  return logs;
}

std::vector<control_row> controls_of(const std::vector<block_group>& groups) {
  std::vector<control_row> controls;
  for (const auto& each : groups) {
    if (!each.control) continue;
    for (const auto kind : {block_kind::duet, block_kind::exclusive}) {
      auto blocks = block_costs(kind == block_kind::duet ? each.duet : each.exclusive);
      if (!blocks.empty())
        controls.push_back({each.scenario, each.comparison.base, kind, std::move(blocks)});
    }
  }
  return controls;
}

void find_noise(results& found) {
  found.noise = noise_in(found.controls, block_kind::duet);
  auto alone = noise_in(found.controls, block_kind::exclusive);
  (found.noise ? found.noise_alone : found.noise) = alone;
  found.margin = margin_of(found.noise);
  found.margin_alone = margin_of(found.noise_alone ? found.noise_alone : found.noise);
}

cost_row cost_row_of(const block_group& group, const run_record& record) {
  const bool shared = !group.duet.empty();
  const auto& deciding = shared ? group.duet : group.exclusive;
  cost_row row;
  row.scenario = group.scenario;
  row.comparison = group.comparison;
  row.decided_by = shared ? block_kind::duet : block_kind::exclusive;
  row.blocks = block_costs(deciding);
  const auto looked = group.looked;
  row.base = cost_of_server(group.comparison.base, row.blocks, &block_cost::base_ns, looked);
  row.contender =
      cost_of_server(group.comparison.contender, row.blocks, &block_cost::contender_ns, looked);
  if (row.blocks.empty()) {  // one of the two may have values of its own
    row.base.cpu_ns = over_blocks(deciding, base_launch, cost_of, looked);
    row.contender.cpu_ns = over_blocks(deciding, contender_launch, cost_of, looked);
  }
  row.floor_ns = unless_empty(over(
      row.blocks, [](const auto& each) { return each.floor_ns; }, looked));
  row.difference_ns = over(
      row.blocks, [](const auto& each) { return each.contender_ns - each.base_ns; }, looked);
  row.overhead_ratio = overhead_ratio(row, looked);
  const auto logs = log_ratios(deciding, cost_of);
  row.ratio = ratio_from_log(interval_over(logs, looked));
  row.ratio_t = looked == looks::once ? ratio_from_log(paired_t_interval(logs)) : row.ratio;
  row.exclusive_ratio = ratio_from_log(interval_over(log_ratios(group.exclusive, cost_of), looked));
  row.ljung_box_p = ljung_box_p(logs);
  if (const auto why = unjudged(row, deciding, record); !why.empty())
    row.verdict = {finding::unmeasured, "n/a: " + why, {}};
  return row;
}

std::optional<calibration> calibration_of(const std::vector<cost_row>& costs) {
  std::optional<calibration> first;
  for (const auto& row : costs) {
    const auto& [base, contender, floor] = row.comparison;
    const double burnt = injected_ns(contender).value_or(0) - injected_ns(base).value_or(0);
    const bool same = without_injection(base) == without_injection(contender);
    if (burnt == 0 || !same || row.difference_ns.n == 0) continue;
    auto read = row.difference_ns;
    if (burnt < 0) {
      read.value = -read.value;
      if (read.range) read.range = interval{-read.range->high, -read.range->low};
    }
    const calibration found{row.scenario, std::abs(burnt), read};
    if (row.scenario.text() == headline_scenario) return found;
    if (!first) first = found;
  }
  return first;
}

}  // namespace bench
