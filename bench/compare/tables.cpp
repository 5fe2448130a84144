#include <bench/compare/tables.hpp>

#include <fmt/format.h>

#include <bench/text/numbers.hpp>
#include <string>
#include <vector>

namespace bench {
namespace {

std::vector<cell> ratios_of(const run_comparison& change, const change_row& row) {
  for (const auto& each : change.history) {
    if (each.about != subject{row.scenario, row.server, row.anchor}) continue;
    std::vector<cell> cells;
    for (const auto& point : each.points) {
      const auto ratio = point ? ratio_text(point->ratio) : "-";
      cells.emplace_back(point && point->changed ? ratio + " *" : ratio, ratio);
    }
    return cells;
  }
  return {ratio_text(row.ratio_before), ratio_text(row.ratio_after)};
}

// One column per run. The terminal shows only the first and the last.
std::vector<column> run_columns(std::size_t runs) {
  std::vector<column> columns;
  for (std::size_t i = 1; i <= runs; ++i)
    columns.push_back({fmt::format("run {}", i), i == 1 ? "before" : i == runs ? "after" : ""});
  return columns;
}

std::string p_text(double p) {
  return p < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", p);
}

}  // namespace

table change_table(const run_comparison& change) {
  const bool has_history = !change.history.empty();
  table shown{
      .title = "CPU per message as a multiple of the anchor",
      .note = has_history ? "A star: changed since the run before, by more than the margin." : "",
      .columns = {scenario_column, server_column, {"anchor", "", column_kind::name}}};
  for (auto& each : run_columns(change.runs.size())) shown.columns.push_back(std::move(each));
  shown.columns.push_back({"first to last, % [95 %]", "change, % [95 %]"});
  shown.columns.push_back({"p, Holm", "p, Holm"});
  shown.columns.push_back({"verdict", "", column_kind::word});
  for (const auto& row : change.rows) {
    auto& cells = shown.rows.emplace_back();
    cells.assign({row.scenario, row.server, row.anchor});
    for (auto& each : ratios_of(change, row)) cells.push_back(std::move(each));
    cells.push_back(fmt::format("{:+.1f} [{:+.1f}, {:+.1f}]", 100 * row.change, 100 * row.range.low,
                                100 * row.range.high));
    cells.push_back(p_text(row.holm_p));
    cells.push_back(row.words);
  }
  return shown;
}

table raw_table(const run_comparison& change) {
  table shown{
      .title = "CPU, ns per message, as measured",
      .note = change.machine_differences.empty()
                  ? "Same machine and build, another day."
                  : "NOT comparable: the machine or the build differs.",
      .columns = {scenario_column, server_column, {"before", "before"}, {"after", "after"}}};
  for (const auto& row : change.rows)
    shown.rows.push_back(
        {row.scenario, row.server, ns_text(row.cpu_ns_before), ns_text(row.cpu_ns_after)});
  return shown;
}

}  // namespace bench
