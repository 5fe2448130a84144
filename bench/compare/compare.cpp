#include <bench/compare/compare.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <bench/compare/anchored.hpp>
#include <bench/record/caveats.hpp>
#include <bench/text/numbers.hpp>
#include <cmath>

namespace bench {
namespace {

std::optional<change_row> row_of(const subject& about, const anchored& before,
                                 const anchored& after, double gate) {
  const auto difference = welch(before.log_ratios, after.log_ratios);
  if (!difference) return std::nullopt;
  change_row row;
  row.scenario = about.scenario;
  row.server = about.server;
  row.anchor = about.anchor;
  row.blocks_before = static_cast<int>(before.log_ratios.size());
  row.blocks_after = static_cast<int>(after.log_ratios.size());
  row.ratio_before = before.ratio();
  row.ratio_after = after.ratio();
  row.change = std::expm1(difference->difference);
  row.range = {std::expm1(difference->range.low), std::expm1(difference->range.high)};
  row.p = difference->p;
  row.gate_p = difference->p_at_most(std::log1p(gate));
  row.cpu_ns_before = before.cpu_ns;
  row.cpu_ns_after = after.cpu_ns;
  return row;
}

// Adds a row for each subject that both runs have. Returns the subjects of the first run that are
// missing in the last or have too few blocks.
std::vector<std::string> match(run_comparison& change, const results& before,
                               const results& after) {
  std::vector<std::string> lost;
  const auto lose = [&](const subject& about) {
    lost.push_back(fmt::format("{} on {} against {}", about.server, about.scenario, about.anchor));
  };
  const auto old_values = anchored_costs(before);
  const auto new_values = anchored_costs(after);
  const auto missing = [&](const subject& about, const char* where) {
    change.notes.push_back(fmt::format("{} on {} against {}: only in {}", about.server,
                                       about.scenario, about.anchor, where));
  };
  for (const auto& [about, values] : old_values) {
    const auto found = new_values.find(about);
    if (found == new_values.end()) {
      missing(about, "the first run");
      lose(about);
    } else if (auto row = row_of(about, values, found->second, change.gate.value_or(0))) {
      change.rows.push_back(std::move(*row));
    } else {
      change.notes.push_back(
          fmt::format("{} on {}: fewer than two blocks in a run", about.server, about.scenario));
      lose(about);
    }
  }
  for (const auto& each : new_values)
    if (!old_values.contains(each.first)) missing(each.first, "the last run");
  return lost;
}

void correct_for_many(std::vector<change_row>& rows, double change_row::*from,
                      double change_row::*to) {
  std::vector<double> probabilities;
  for (const auto& row : rows) probabilities.push_back(row.*from);
  const auto corrected = holm_corrected(probabilities);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*to = corrected[i];
}

std::string signed_range(const interval& range) {
  return fmt::format("[{:+.1f}, {:+.1f}] %", 100 * range.low, 100 * range.high);
}

std::string words_of(const change_row& row, double margin, char grade) {
  if (is_equivalent(row.range, margin, grade))
    return fmt::format("unchanged (within {})", percent_text(margin));
  if (row.holm_p >= significance)
    return fmt::format("no change shown{}: the truth lies in {}",
                       row.range.excludes(0)
                           ? " (not significant after Holm: one of many rows is so by chance)"
                           : "",
                       signed_range(row.range));
  if (std::abs(row.change) <= margin)
    return fmt::format("tiny difference, below the margin of {}: {}", percent_text(margin),
                       signed_range(row.range));
  const double sign = row.change < 0 ? -1 : 1;
  const auto [low, high] = std::minmax({sign * row.range.low, sign * row.range.high});
  return fmt::format("{} by {} [{:.1f}, {:.1f}]", row.change < 0 ? "lower" : "higher",
                     percent_text(sign * row.change), 100 * low, 100 * high);
}

// A row fails if its Holm-corrected one-sided p for "at most the gate" is below 2.5 %, so that the
// lower end of the two-sided 95 % interval lies above the gate. It passes only if the whole
// interval lies below the gate. All rows must pass, and having more rows does not make that
// likelier.
gate_result gate_of(const change_row& row, double gate) {
  if (row.gate_p < significance / 2) return gate_result::failed;
  return row.range.high < gate ? gate_result::passed : gate_result::inconclusive;
}

// The worse grade of duet and exclusive blocks; 'A' if there is no control.
char worst_grade_of(const results& found) {
  return std::max(grade_of(found.noise), grade_of(found.noise_alone));
}

void add_gate_caveats(run_comparison& change, const results& found, const std::string& name) {
  for (const auto& each : why_no_gate(found)) change.gate_caveats.push_back(name + ": " + each);
}

void apply_gate(run_comparison& change, const results& before, const results& after,
                const std::vector<std::string>& lost) {
  if (!change.gate) return;
  for (auto& row : change.rows) row.gate = gate_of(row, *change.gate);
  std::vector<gate_result> results;
  for (const auto& row : change.rows) results.push_back(row.gate);
  change.result = all_of(results);
  add_gate_caveats(change, before, change.runs.front());
  add_gate_caveats(change, after, change.runs.back());
  // Missing rows leave a failure as it is, but they turn a pass into inconclusive.
  if (!lost.empty() && change.result != gate_result::failed)
    change.gate_caveats.push_back(fmt::format(
        "these rows of the first run are missing in the last or have fewer than two blocks: {}",
        fmt::join(lost, ", ")));
  if (!change.gate_caveats.empty()) change.result = gate_result::inconclusive;
}

void note_caveats(run_comparison& change, const results& found, const std::string& name) {
  for (const auto& each : sentences_of(found.caveats)) change.notes.push_back(name + ": " + each);
}

std::vector<report_contents> read_all(const std::vector<std::filesystem::path>& runs) {
  std::vector<report_contents> all;
  for (const auto& each : runs) {
    all.push_back(read_run_or_report(each));
    if (const auto* wrong = first_of<caveats::run_void>(all.back().found.caveats))
      throw nothing_to_compare{fmt::format("{}: {}", each.string(), text_of(*wrong))};
  }
  return all;
}

// Notes where the machine or build of a run between the first and the last differs. Those runs
// appear only in the history.
void note_other_machines(run_comparison& change, const std::vector<report_contents>& all) {
  for (std::size_t i = 1; i + 1 < all.size(); ++i) {
    const auto found = differences_between(all.front().header.machine, all[i].header.machine);
    if (!found.empty())
      change.notes.push_back(fmt::format("{}: another machine or build than {}: {}", change.runs[i],
                                         change.runs.front(), fmt::join(found, "; ")));
  }
}

void add_history(run_comparison& change, const std::vector<report_contents>& all) {
  if (all.size() < 3) return;
  std::vector<const results*> found;
  for (const auto& each : all) found.push_back(&each.found);
  change.history = history_of(found);
  note_other_machines(change, all);
}

}  // namespace

run_comparison compare_runs(const std::vector<std::filesystem::path>& runs,
                            std::optional<double> gate) {
  const auto all = read_all(runs);
  const auto& first = all.front();
  const auto& last = all.back();
  run_comparison change;
  for (const auto& each : runs) change.runs.push_back(each.string());
  change.gate = gate;
  const auto lost = match(change, first.found, last.found);
  if (change.rows.empty())
    throw nothing_to_compare{fmt::format(
        "{} and {} have no scenario, server and anchor in common with two blocks in each",
        change.runs.front(), change.runs.back())};
  correct_for_many(change.rows, &change_row::p, &change_row::holm_p);
  correct_for_many(change.rows, &change_row::gate_p, &change_row::gate_p);
  const double margin = std::max(first.found.margin, last.found.margin);
  const char grade = std::max(worst_grade_of(first.found), worst_grade_of(last.found));
  for (auto& row : change.rows) row.words = words_of(row, margin, grade);
  apply_gate(change, first.found, last.found, lost);
  change.machine_differences = differences_between(first.header.machine, last.header.machine);
  add_history(change, all);
  for (std::size_t i = 0; i < all.size(); ++i) note_caveats(change, all[i].found, change.runs[i]);
  return change;
}

}  // namespace bench
