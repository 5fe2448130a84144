#include <bench/compare/tables.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/text/numbers.hpp>
#include <string>

namespace bench {
namespace {

std::string p_text(double p) {
  return p < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", p);
}

std::string change_text(const judged_change& judged) {
  return fmt::format("{:+.1f} [{:+.1f}, {:+.1f}]", 100 * judged.change, 100 * judged.range.low,
                     100 * judged.range.high);
}

std::string measured_text(quantity what, double value) {
  switch (what) {
    case quantity::cpu:
      return ns_text(value);
    case quantity::throughput:
      return count_text(value);
    case quantity::p50:
      return microseconds_text(value);
    case quantity::memory:
      return kib_text(value);
  }
  return {};
}

std::string title_of(quantity what, std::string_view rest) {
  auto title = fmt::format("{} {}", name_of(what), rest);
  if (title.front() >= 'a' && what != quantity::p50) title.front() -= 'a' - 'A';
  return title;
}

void add_judged_columns(table& shown) {
  shown.columns.push_back({"change, % [95 %]", "change, % [95 %]"});
  shown.columns.push_back({"p, Holm", "p, Holm"});
  shown.columns.push_back({"verdict", "", column_kind::word});
}

// Where no change is shown, the interval stands in a column of its own.
std::string brief_words(const judged_change& judged) {
  constexpr std::string_view none = "no change shown";
  return judged.words.starts_with(none) ? std::string{none} : judged.words;
}

void add_judged_cells(std::vector<cell>& cells, const judged_change& judged) {
  cells.push_back(change_text(judged));
  cells.push_back(p_text(judged.holm_p));
  cells.push_back(brief_words(judged));
}

std::vector<column> columns_of_runs(std::size_t runs) {
  if (runs == 2) return {{"before", "before"}, {"after", "after"}};
  std::vector<column> columns;
  for (std::size_t i = 1; i <= runs; ++i) columns.push_back({fmt::format("run {}", i), ""});
  columns.push_back({"before, mean", "before"});
  columns.push_back({"after", "after"});
  return columns;
}

void add_ratios(std::vector<cell>& cells, const change_row& row) {
  if (row.points.size() > 2)
    for (const auto& point : row.points)
      cells.emplace_back(point ? ratio_text(point->ratio) + (point->stepped ? " *" : "") : "-");
  cells.emplace_back(ratio_text(row.ratio_before));
  cells.emplace_back(ratio_text(row.ratio_after));
}

}  // namespace

table change_table(const run_comparison& change, quantity what) {
  const bool has_history = change.runs.size() > 2 && what == quantity::cpu;
  table shown{.title = title_of(what, "as a multiple of the anchor"),
              .note = has_history ? "A star: a step to another level since the run before." : "",
              .columns = {scenario_column, server_column, {"anchor", "", column_kind::name}}};
  for (auto& each : columns_of_runs(change.runs.size())) shown.columns.push_back(std::move(each));
  add_judged_columns(shown);
  for (const auto& row : change.rows) {
    if (row.about.what != what) continue;
    auto& cells = shown.rows.emplace_back();
    cells.assign({row.about.scenario.empty() ? "-" : row.about.scenario, row.about.server,
                  row.about.anchor});
    add_ratios(cells, row);
    add_judged_cells(cells, row.judged);
  }
  return shown;
}

table measured_table(const run_comparison& change, quantity what) {
  table shown{
      .title = title_of(what, fmt::format("as measured, {}", unit_of(what))),
      .note = change.machine_differences.empty()
                  ? "Same machine and build."
                  : "NOT comparable: the machine or the build differs.",
      .columns = {scenario_column, server_column, {"before", "before"}, {"after", "after"}}};
  for (const auto& row : change.rows)
    if (row.about.what == what)
      shown.rows.push_back({row.about.scenario.empty() ? "-" : row.about.scenario, row.about.server,
                            measured_text(what, row.before), measured_text(what, row.after)});
  return shown;
}

table mean_table(const run_comparison& change) {
  table shown{.title = "Over all loads",
              .columns = {{"of", "of", column_kind::word},
                          server_column,
                          {"anchor", "", column_kind::name},
                          {"loads", "loads"}}};
  add_judged_columns(shown);
  for (const auto& row : change.means) {
    auto& cells = shown.rows.emplace_back();
    cells.assign(
        {std::string{name_of(row.what)}, row.server, row.anchor, fmt::format("{}", row.loads)});
    add_judged_cells(cells, row.judged);
  }
  return shown;
}

std::vector<quantity> quantities_of(const run_comparison& change) {
  std::vector<quantity> found;
  for (const auto& row : change.rows)
    if (std::find(found.begin(), found.end(), row.about.what) == found.end())
      found.push_back(row.about.what);
  return found;
}

}  // namespace bench
