#include <bench/analysis/rates/rate_curve.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/analysis/caveats.hpp>
#include <utility>

namespace bench {
namespace {

// Without a verdict, or "unmeasured", and why.
judged_ratio cpu_of(const blocks_view& blocks, const rate_point& point, const run_record& record) {
  const auto logs = log_ratios(blocks, cost_of);
  std::string why;
  for (const auto* side : {&point.base, &point.contender})
    if (side->saturated) why = side->server + " is saturated";
  if (why.empty() && logs.empty()) why = "the CPU of one of the two is unknown";
  if (auto nothing = why_nothing_is_judged(record); !nothing.empty()) why = std::move(nothing);
  if (!why.empty()) return {{}, {}, {finding::unmeasured, "n/a: " + why, {}}};
  return {ratio_from_log(interval_over(logs, looks_at(record.header))), {}, {}};
}

server_at_rate at_rate(const server_response& of, const estimate& rate) {
  return {of.server, rate, of.saturated, false, of.cpu_ns, of.response_p50_us, of.response_p99_us};
}

server_at_rate at_rate(const server_load& of, const block_group& group, int launch) {
  return {of.server,
          of.messages_per_second,
          false,
          of.client_limited,
          over_blocks(group.exclusive, launch, cost_of, group.looked),
          of.p50_us,
          of.p99_us};
}

rate_point point_of(const open_row& row, const blocks_view& blocks, const run_record& record) {
  rate_point point{row.scenario,
                   at_rate(row.base, row.rate_per_second),
                   at_rate(row.contender, row.rate_per_second),
                   {}};
  point.cpu = cpu_of(blocks, point, record);
  return point;
}

rate_point point_of(const load_row& row, const block_group& group, const run_record& record) {
  rate_point point{row.scenario,
                   at_rate(row.base, group, base_launch),
                   at_rate(row.contender, group, contender_launch),
                   {}};
  point.cpu = cpu_of(group.exclusive, point, record);
  return point;
}

rate_curve& curve_for(std::vector<rate_curve>& curves, const scenario& load,
                      const comparison& pair) {
  const auto found = std::find_if(curves.begin(), curves.end(), [&](const rate_curve& each) {
    return each.load == load && each.comparison == pair;
  });
  if (found != curves.end()) return *found;
  return curves.emplace_back(rate_curve{load, pair, {}});
}

// By rate; the full load, which no rate holds back, comes last.
bool comes_before(const rate_point& one, const rate_point& other) {
  const bool open = one.scenario.open_loop();
  if (open != other.scenario.open_loop()) return open;
  return one.base.messages_per_second.value < other.base.messages_per_second.value;
}

}  // namespace

std::vector<rate_curve> rate_curves_of(const results& found, const std::vector<block_group>& groups,
                                       const run_record& record) {
  std::vector<rate_curve> curves;
  for (const auto& row : found.open_loops)
    if (const auto* group = find_group(groups, row.scenario, row.comparison))
      curve_for(curves, row.scenario.at_full_rate(), row.comparison)
          .points.push_back(point_of(row, group->open_loop, record));
  for (auto& curve : curves) {
    for (const auto& row : found.loads)
      if (row.scenario == curve.load && row.comparison == curve.comparison)
        if (const auto* group = find_group(groups, row.scenario, row.comparison))
          curve.points.push_back(point_of(row, *group, record));
    std::stable_sort(curve.points.begin(), curve.points.end(), comes_before);
  }
  std::erase_if(curves,
                [](const rate_curve& each) { return each.points.size() < fewest_for_a_curve; });
  return curves;
}

std::string rate_words(const rate_point& point) {
  if (!point.scenario.open_loop()) return "full";
  if (point.scenario.rate_percent == 0) return "fixed";
  return fmt::format("{} %", point.scenario.rate_percent);
}

}  // namespace bench
