// Turns each group of blocks into a row of the results.
#include <bench/analysis/analysis.hpp>

#include <algorithm>
#include <bench/analysis/block_values.hpp>
#include <bench/analysis/by_host/host_caveats.hpp>
#include <bench/analysis/by_host/host_rows.hpp>
#include <bench/analysis/by_server/matrix.hpp>
#include <bench/analysis/caveats.hpp>
#include <bench/analysis/costs.hpp>
#include <bench/analysis/family.hpp>
#include <bench/analysis/headlines.hpp>
#include <bench/analysis/loads.hpp>
#include <bench/analysis/probes.hpp>
#include <bench/analysis/rates/rate_curve.hpp>
#include <bench/server/catalogue.hpp>

namespace bench {
namespace {

void count_messages(results& found, const run_record& record) {
  for (const auto& each : record.blocks)
    for (const auto& timed : each.slices) {
      found.messages = sum(found.messages, timed.messages);
      if (timed.checked) found.checked = sum(found.checked.value_or(0), *timed.checked);
    }
}

}  // namespace

std::vector<comparison> pairs_of(const results& found) {
  std::vector<comparison> pairs;
  for (const auto& row : found.costs)
    if (std::find(pairs.begin(), pairs.end(), row.comparison) == pairs.end())
      pairs.push_back(row.comparison);
  return pairs;
}

std::vector<const cost_row*> costs_of(const results& found, const comparison& pair) {
  std::vector<const cost_row*> rows;
  for (const auto& row : found.costs)
    if (row.comparison == pair) rows.push_back(&row);
  return rows;
}

const cost_row* leading_row(const results& found) {
  const cost_row* leading = nullptr;
  for (const auto& row : found.costs) {
    if (row.verdict.what == finding::unmeasured) continue;
    if (row.scenario.text() == headline_scenario) return &row;
    if (!leading) leading = &row;
  }
  return leading;
}

bool is_settled(const results& found) {
  const auto is_open = [](const verdict& said) {
    return said.what == finding::inconclusive || said.what == finding::conflict;
  };
  bool any = false;
  for (const auto& row : found.overall.value_or(std::vector<overall_row>{})) {
    const auto& asked = row.cpu ? row.cpu : row.throughput;
    if (is_injected(row.comparison) || !asked) continue;
    if (is_open(asked->verdict)) return false;
    any = true;
  }
  return any;
}

std::vector<kernel_row> leading_kernel_rows(const results& found) {
  std::vector<kernel_row> rows;
  const auto* leading = leading_row(found);
  for (const auto& row : found.kernel)
    if (row.scenario == (leading ? leading->scenario : found.kernel.front().scenario))
      rows.push_back(row);
  return rows;
}

results analyse(const run_record& record) {
  results found;
  const auto groups = groups_of(record);
  found.controls = controls_of(groups);
  find_noise(found);
  const auto& alone = found.noise_alone ? found.noise_alone : found.noise;
  for (const auto& each : groups) {
    if (each.control) continue;
    if (!each.duet.empty() || !each.exclusive.empty())
      found.costs.push_back(cost_row_of(each, record));
    if (!each.open_loop.empty()) found.open_loops.push_back(open_row_of(each, alone));
    if (!each.exclusive.empty()) found.loads.push_back(load_row_of(each, alone));
  }
  limit_by_generators(found, record);
  limit_by_floor(found);
  withdraw_ratios(found, record);
  found.rate_curves = rate_curves_of(found, groups, record);
  judge_together(found, groups, looks_at(record.header));
  found.memory = memory_of(record);
  found.kernel = kernel_of(record);
  found.hosts = host_rows_of(record);
  count_messages(found, record);
  found.calibration = calibration_of(found.costs);
  found.caveats = all_caveats(record, found);
  found.matrix = matrix_of(found, record);
  found.headlines = headlines_of(found);
  return found;
}

}  // namespace bench
