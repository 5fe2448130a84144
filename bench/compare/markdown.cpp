// A comparison of runs for the summary of a CI job or a pull request.
#include <fmt/format.h>

#include <bench/compare/compare.hpp>
#include <bench/report/markdown_text.hpp>
#include <bench/text/numbers.hpp>

namespace bench {
namespace {

// Of every run where there is a history, else of the two.
std::vector<std::string> ratios_of(const run_comparison& change, const change_row& row) {
  for (const auto& each : change.history) {
    if (each.about != subject{row.scenario, row.server, row.anchor}) continue;
    std::vector<std::string> cells;
    for (const auto& point : each.points)
      cells.push_back(point ? ratio_text(point->ratio) + (point->changed ? " \\*" : "") : "-");
    return cells;
  }
  return {ratio_text(row.ratio_before), ratio_text(row.ratio_after)};
}

std::string table_of(const run_comparison& change) {
  std::vector<std::string> head{"scenario", "server", "anchor"};
  for (std::size_t i = 1; i <= change.runs.size(); ++i) head.push_back(fmt::format("run {}", i));
  head.insert(head.end(), {"first to last, %", "p, Holm", "verdict"});
  auto text = markdown_head(head);
  for (const auto& row : change.rows) {
    std::vector<std::string> cells{fmt::format("`{}`", row.scenario), row.server, row.anchor};
    for (auto& ratio : ratios_of(change, row)) cells.push_back(std::move(ratio));
    cells.push_back(fmt::format("{:+.1f} [{:+.1f}, {:+.1f}]", 100 * row.change, 100 * row.range.low,
                                100 * row.range.high));
    cells.push_back(fmt::format("{:.4f}", row.holm_p));
    cells.push_back(row.words);
    text += markdown_row(cells);
  }
  return text;
}

std::string gate_line(const run_comparison& change) {
  if (!change.gate) return {};
  const auto* word = change.result == gate_result::passed   ? "passed"
                     : change.result == gate_result::failed ? "**failed**"
                                                            : "**inconclusive**";
  auto text = fmt::format("Gate {}, the first run against the last: {}.\n",
                          percent_text(*change.gate), word);
  for (const auto& each : change.gate_doubts) text += fmt::format("- {}\n", each);
  return text + '\n';
}

}  // namespace

std::string comparison_markdown(const run_comparison& change) {
  std::string text = "## echobench compare\n\n" + gate_line(change);
  for (std::size_t i = 0; i < change.runs.size(); ++i)
    text += fmt::format("{}. `{}`\n", i + 1, change.runs[i]);
  text += "\nCPU per message as a multiple of the anchor";
  if (!change.history.empty())
    text += "; \\*: changed since the run before, by more than the margin";
  text += ".\n\n" + table_of(change);
  if (!change.machine_differences.empty())
    text += "\nThe machine or the build differs: ratios may be compared, raw numbers not.\n";
  if (!change.notes.empty()) text += "\n### Notes\n\n";
  for (const auto& note : change.notes) text += fmt::format("- {}\n", note);
  return text;
}

}  // namespace bench
