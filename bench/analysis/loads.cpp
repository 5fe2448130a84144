#include <bench/analysis/loads.hpp>

#include <algorithm>
#include <array>
#include <bench/analysis/caveats.hpp>
#include <bench/load/sample.hpp>
#include <map>

namespace bench {
namespace {

// Share of the throughput that the client reached with the bare loop.
constexpr double near_ceiling = 0.9;
constexpr std::size_t fewest_for_a_tail = 20;  // blocks
constexpr char worst_grade_for_a_tail = 'B';

server_load load_of_server(const std::string& name, const blocks_view& blocks, int launch,
                           looks looked) {
  const auto over = [&](slice_value value) { return over_blocks(blocks, launch, value, looked); };
  const double utilisation = mean_utilisation(blocks, launch);
  return {name,
          over(rate_of),
          over(p50_of),
          over(p90_of),
          over(p99_of),
          utilisation,
          utilisation >= client_limit,
          distribution_of(merged(blocks, launch, response_times))};
}

server_response response_of_server(const std::string& name, const blocks_view& blocks, int launch,
                                   looks looked) {
  server_response found;
  found.server = name;
  found.answered = answered_share(blocks, launch).value_or(0);
  found.saturated = found.answered < keeping_up;
  if (found.saturated) return found;
  const auto over = [&](slice_value value) { return over_blocks(blocks, launch, value, looked); };
  found.response_p50_us = over(p50_of);
  found.response_p90_us = over(p90_of);
  found.response_p99_us = over(p99_of);
  found.service_p50_us = over(service_p50_of);
  found.service_p90_us = over(service_p90_of);
  found.service_p99_us = over(service_p99_of);
  found.late_p99_us = over(late_p99_of);
  found.cpu_ns = over(cost_of);
  found.response = distribution_of(merged(blocks, launch, response_times));
  found.service = distribution_of(merged(blocks, launch, service_times));
  return found;
}

std::optional<judged_ratio> unjudged_ratio(const blocks_view& blocks, slice_value value,
                                           looks looked) {
  const auto logs = log_ratios(blocks, value);
  if (logs.empty()) return std::nullopt;
  return judged_ratio{ratio_from_log(interval_over(logs, looked)), {}, {}};
}

// p50 and p99 of a row, the latter where so few values can tell it.
template <class Row>
void add_latency(Row& row, const blocks_view& blocks, const std::optional<noise>& measured,
                 looks looked) {
  row.p50 = unjudged_ratio(blocks, p50_of, looked);
  if (has_calm_tail(blocks, measured)) row.p99 = unjudged_ratio(blocks, p99_of, looked);
}

template <class Row>
void withdraw_latency(Row& row, const std::string& why) {
  for (auto* each : {&row.p50, &row.p99})
    if (*each) *each = judged_ratio{{}, {}, {finding::unmeasured, "n/a: " + why, {}}};
}

}  // namespace

bool has_calm_tail(const blocks_view& blocks, const std::optional<noise>& measured) {
  return blocks.size() >= fewest_for_a_tail && grade_of(measured) <= worst_grade_for_a_tail;
}

load_row load_row_of(const block_group& group, const std::optional<noise>& measured) {
  const auto& blocks = group.exclusive;
  load_row row;
  row.scenario = group.scenario;
  row.comparison = group.comparison;
  row.base = load_of_server(group.comparison.base, blocks, base_launch, group.looked);
  row.contender =
      load_of_server(group.comparison.contender, blocks, contender_launch, group.looked);
  row.throughput_ratio = ratio_from_log(interval_over(log_ratios(blocks, rate_of), group.looked));
  add_latency(row, blocks, measured, group.looked);
  return row;
}

open_row open_row_of(const block_group& group, const std::optional<noise>& measured) {
  const auto& blocks = group.open_loop;
  open_row row;
  row.scenario = group.scenario;
  row.comparison = group.comparison;
  row.rate_per_second = over_blocks(blocks, base_launch, asked_rate_of, group.looked);
  row.base = response_of_server(group.comparison.base, blocks, base_launch, group.looked);
  row.contender =
      response_of_server(group.comparison.contender, blocks, contender_launch, group.looked);
  add_latency(row, blocks, measured, group.looked);
  return row;
}

void withdraw_ratios(results& found, const run_record& record) {
  auto why_none = why_nothing_is_judged(record);
  if (why_none.empty() &&
      (record.header.machine.cpus == 1 || first_of<caveats::one_cpu>(record.caveats_found)))
    why_none = "client and servers shared a CPU";
  for (auto& row : found.loads) {
    const bool limited = row.base.client_limited || row.contender.client_limited;
    const auto why = limited && why_none.empty() ? "the client was the limit" : why_none;
    if (why.empty()) continue;
    row.throughput_ratio = {};
    row.throughput_verdict = bench::verdict{finding::unmeasured, "n/a: " + why, {}};
    withdraw_latency(row, why);
  }
  for (auto& row : found.open_loops) {
    const auto* saturated = row.base.saturated        ? &row.base
                            : row.contender.saturated ? &row.contender
                                                      : nullptr;
    const auto why = saturated && why_none.empty() ? saturated->server + " is saturated" : why_none;
    if (!why.empty()) withdraw_latency(row, why);
  }
}

void limit_by_floor(results& found) {
  std::map<std::string, double> ceilings;
  const auto sides = [](load_row& row) { return std::array{&row.base, &row.contender}; };
  for (auto& row : found.loads)
    for (const auto* side : sides(row))
      if (side->client_limited &&
          (side->server.starts_with("floor/") || side->server.starts_with("old/floor/")))
        ceilings[row.scenario.text()] =
            std::max(ceilings[row.scenario.text()], side->messages_per_second.value);
  for (auto& row : found.loads)
    for (auto* side : sides(row))
      if (const auto ceiling = ceilings.find(row.scenario.text()); ceiling != ceilings.end())
        side->client_limited |= side->messages_per_second.value >= near_ceiling * ceiling->second;
}

}  // namespace bench
