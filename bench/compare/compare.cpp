#include <bench/compare/compare.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <array>
#include <bench/analysis/caveats.hpp>
#include <bench/compare/history.hpp>
#include <bench/record/caveats.hpp>
#include <bench/report/by_host/host_table.hpp>
#include <bench/text/numbers.hpp>
#include <cmath>
#include <set>

namespace bench {
namespace {

constexpr std::array quantities{quantity::cpu, quantity::throughput, quantity::p50,
                                quantity::memory};

// The rows of one quantity: their places among all rows, and what all runs measured of each.
struct quantity_rows {
  std::vector<std::size_t> places;
  std::vector<row_in_runs> values;
};

// From where the load came, and what these hosts are.
std::string origin_of(const run_header& header) {
  const auto hosts = hosts_text(header);
  if (hosts.empty()) return "from the servers' machine";
  return fmt::format("{}; {}", hosts, fmt::join(descriptions_of_hosts(header), "; "));
}

std::vector<std::string> differences_between(const run_header& before, const run_header& after) {
  auto found = differences_between(before.machine, after.machine);
  const auto was = origin_of(before), is = origin_of(after);
  if (was != is) found.push_back(fmt::format("load: {} -> {}", was, is));
  return found;
}

class comparison_of_runs {
 public:
  comparison_of_runs(std::vector<report_contents> all, std::vector<std::string> names,
                     std::optional<double> gate)
      : all_{std::move(all)}, gate_{gate} {
    change_.runs = std::move(names);
    for (const auto& each : all_) {
      ratios_.push_back(anchored_ratios(each.found));
      margin_ = std::max(margin_, each.found.margin);
      grade_ = std::max({grade_, grade_of(each.found.noise), grade_of(each.found.noise_alone)});
    }
  }

  run_comparison compared() && {
    expect_each_once();
    match();
    for (const auto what : quantities) judge(what);
    if (gate_ && !change_.gate) {
      change_.gate = compare_gate{*gate_, 0, 0, 0, {"the runs have no CPU per message in common"}};
      change_.result = gate_result::inconclusive;
    }
    correct();
    mark_steps(change_.rows, margin_);
    note_machines();
    note_caveats();
    return std::move(change_);
  }

 private:
  void expect_each_once() const;
  void match();
  void add_row(const subject& about);
  void judge(quantity what);
  void add_means(quantity what, const quantity_rows& rows, const between_runs& model);
  void apply_gate(const quantity_rows& rows, const between_runs& model);
  std::vector<std::string> why_no_gate_here() const;
  void correct();
  void note_machines();
  void note_caveats();
  double control_shift() const;
  double margin_for(quantity what) const {
    return what == quantity::cpu ? margin_ : smallest_margin;
  }

  std::vector<report_contents> all_;
  std::optional<double> gate_;
  std::vector<std::map<subject, anchored>> ratios_;  // of each run
  std::vector<std::string> lost_;                    // CPU that the last run does not have
  double margin_ = smallest_margin;
  char grade_ = 'A';
  run_comparison change_;
};

// An earlier run that is named twice would seem to say that runs hardly differ.
void comparison_of_runs::expect_each_once() const {
  for (std::size_t i = 1; i + 1 < ratios_.size(); ++i)
    for (std::size_t earlier = 0; earlier < i; ++earlier)
      if (!ratios_[i].empty() && ratios_[i] == ratios_[earlier])
        throw nothing_to_compare{
            fmt::format("{} holds the same run as {}", change_.runs[i], change_.runs[earlier])};
}

void comparison_of_runs::match() {
  std::set<subject> before;
  for (std::size_t i = 0; i + 1 < ratios_.size(); ++i)
    for (const auto& each : ratios_[i]) before.insert(each.first);
  for (const auto& about : before) {
    if (ratios_.back().contains(about)) {
      add_row(about);
      continue;
    }
    change_.notes.push_back(text_of(about) + ": not in the last run");
    if (about.what == quantity::cpu) lost_.push_back(text_of(about));
  }
  for (const auto& [about, values] : ratios_.back())
    if (!before.contains(about)) change_.notes.push_back(text_of(about) + ": only in the last run");
  if (change_.rows.empty())
    throw nothing_to_compare{
        fmt::format("{} has no scenario, server and anchor in common with {}, with two blocks in "
                    "each",
                    change_.runs.back(), change_.runs.front())};
}

void comparison_of_runs::add_row(const subject& about) {
  change_row row;
  row.about = about;
  double log_sum = 0, sum = 0, count = 0;
  for (std::size_t i = 0; i < ratios_.size(); ++i) {
    const auto found = ratios_[i].find(about);
    if (found == ratios_[i].end()) {
      row.points.emplace_back();
      continue;
    }
    row.points.push_back(
        run_point{std::exp(found->second.log_ratio), found->second.standard_error});
    if (i + 1 == ratios_.size()) break;
    log_sum += found->second.log_ratio;
    sum += found->second.as_measured;
    count += 1;
  }
  row.ratio_before = std::exp(log_sum / count);
  row.ratio_after = row.points.back()->ratio;
  row.before = sum / count;
  row.after = ratios_.back().at(about).as_measured;
  change_.rows.push_back(std::move(row));
}

row_in_runs values_of(const std::vector<std::map<subject, anchored>>& runs, const subject& about) {
  row_in_runs values;
  double squares = 0, freedom = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto found = runs[i].find(about);
    if (found == runs[i].end()) continue;
    squares += found->second.standard_error * found->second.standard_error;
    freedom += found->second.freedom;
    if (i + 1 == runs.size())
      values.after = found->second.log_ratio;
    else
      values.before.push_back(found->second.log_ratio);
  }
  if (squares > 0) values.block_freedom = freedom;
  values.block_error = std::sqrt(squares / static_cast<double>(values.before.size() + 1));
  return values;
}

// Rounding errors are no change, and would be written as -0.0 %.
double change_of(double log_change) {
  const double change = std::expm1(log_change);
  return std::abs(change) < 1e-9 ? 0 : change;
}

judged_change change_of(const t_estimate& logarithm) {
  const auto range = logarithm.range();
  return {change_of(logarithm.value),
          {change_of(range.low), change_of(range.high)},
          logarithm.p(),
          1,
          {}};
}

void comparison_of_runs::judge(quantity what) {
  quantity_rows rows;
  for (std::size_t i = 0; i < change_.rows.size(); ++i) {
    if (change_.rows[i].about.what != what) continue;
    rows.places.push_back(i);
    rows.values.push_back(values_of(ratios_, change_.rows[i].about));
  }
  if (rows.places.empty()) return;
  const between_runs model{rows.values, prior_spread(what),
                           what == quantity::cpu ? control_shift() : 0};
  change_.spreads.push_back({what, model.spread()});
  for (std::size_t i = 0; i < rows.places.size(); ++i)
    change_.rows[rows.places[i]].judged = change_of(model.change(rows.values[i]));
  add_means(what, rows, model);
  if (what == quantity::cpu && gate_) apply_gate(rows, model);
}

void comparison_of_runs::add_means(quantity what, const quantity_rows& rows,
                                   const between_runs& model) {
  std::map<std::pair<std::string, std::string>, std::vector<const row_in_runs*>> servers;
  for (std::size_t i = 0; i < rows.places.size(); ++i) {
    const auto& about = change_.rows[rows.places[i]].about;
    servers[{about.server, about.anchor}].push_back(&rows.values[i]);
  }
  for (const auto& [names, loads] : servers)
    if (loads.size() > 1)
      change_.means.push_back({what, names.first, names.second, static_cast<int>(loads.size()),
                               change_of(model.mean_change(loads))});
}

// How far the control of a run, in which nothing differs, was from 0. A row moves at least as much.
double comparison_of_runs::control_shift() const {
  double largest = 0;
  for (const auto& each : all_)
    for (const auto& control : each.found.controls) {
      double sum = 0;
      for (const auto& block : control.blocks) sum += std::log(block.ratio);
      if (control.blocks.size() > 1)
        largest = std::max(largest, std::abs(sum / static_cast<double>(control.blocks.size())));
    }
  return largest;
}

std::vector<std::string> comparison_of_runs::why_no_gate_here() const {
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < all_.size(); ++i)
    for (const auto& each : why_no_gate(all_[i].found))
      reasons.push_back(change_.runs[i] + ": " + each);
  return reasons;
}

void comparison_of_runs::apply_gate(const quantity_rows& rows, const between_runs& model) {
  const auto judged = judge_gate(model, rows.values, *gate_);
  compare_gate gate{*gate_, judged.change, judged.at_least, judged.at_most, why_no_gate_here()};
  change_.result = judged.result;
  if (!gate.reasons.empty()) change_.result = gate_result::inconclusive;
  // What is missing leaves a failure as it is, but passes no gate.
  if (!lost_.empty() && change_.result != gate_result::failed) {
    change_.result = gate_result::inconclusive;
    gate.reasons.push_back(fmt::format(
        "the last run lacks, or has fewer than two blocks of: {}{}", lost_.front(),
        lost_.size() > 1 ? fmt::format(", and {} more (see the notes)", lost_.size() - 1) : ""));
  }
  if (change_.result == gate_result::failed)
    for (const auto i : judged.above)
      gate.reasons.push_back(text_of(change_.rows[rows.places[i]].about) +
                             ": above the gate by itself with 95 % certainty");
  change_.gate = std::move(gate);
}

std::string signed_range(const interval& range) {
  return fmt::format("[{:+.1f}, {:+.1f}] %", 100 * range.low, 100 * range.high);
}

std::string words_of(const judged_change& judged, double margin, char grade) {
  if (is_equivalent(judged.range, margin, grade))
    return fmt::format("unchanged (within {})", percent_text(margin));
  if (judged.holm_p >= significance)
    return fmt::format("no change shown{}: the truth lies in {}",
                       judged.range.excludes(0) ? " (one of many is so by chance)" : "",
                       signed_range(judged.range));
  if (std::abs(judged.change) <= margin)
    return fmt::format("tiny difference, below the margin of {}: {}", percent_text(margin),
                       signed_range(judged.range));
  const double sign = judged.change < 0 ? -1 : 1;
  const auto [low, high] = std::minmax({sign * judged.range.low, sign * judged.range.high});
  return fmt::format("{} by {} [{:.1f}, {:.1f}]", judged.change < 0 ? "lower" : "higher",
                     percent_text(sign * judged.change), 100 * low, 100 * high);
}

// Rows and means of all quantities are one family.
void comparison_of_runs::correct() {
  std::vector<std::pair<judged_change*, double>> family;  // with its margin
  for (auto& row : change_.rows) family.emplace_back(&row.judged, margin_for(row.about.what));
  for (auto& mean : change_.means) family.emplace_back(&mean.judged, margin_for(mean.what));
  std::vector<double> probabilities;
  for (const auto& [judged, margin] : family) probabilities.push_back(judged->p);
  const auto corrected = holm_corrected(probabilities);
  for (std::size_t i = 0; i < family.size(); ++i) {
    const auto& [judged, margin] = family[i];
    judged->holm_p = corrected[i];
    judged->words = words_of(*judged, margin, grade_);
  }
}

void comparison_of_runs::note_machines() {
  const auto& last = all_.back().header;
  for (std::size_t i = 0; i + 1 < all_.size(); ++i)
    for (const auto& each : differences_between(all_[i].header, last))
      change_.machine_differences.push_back(all_.size() > 2 ? change_.runs[i] + ": " + each : each);
}

// Each once, with the runs that have it.
void comparison_of_runs::note_caveats() {
  std::vector<std::pair<std::string, std::vector<std::string>>> found;
  for (std::size_t i = 0; i < all_.size(); ++i)
    for (const auto& each : sentences_of(all_[i].found.caveats)) {
      auto same = std::find_if(found.begin(), found.end(),
                               [&](const auto& known) { return known.first == each; });
      if (same == found.end()) same = found.insert(found.end(), {each, {}});
      same->second.push_back(change_.runs[i]);
    }
  for (const auto& [sentence, runs] : found)
    change_.notes.push_back(fmt::format("{}: {}", fmt::join(runs, ", "), sentence));
}

std::vector<report_contents> read_all(const std::vector<std::filesystem::path>& runs) {
  std::vector<report_contents> all;
  for (const auto& each : runs) {
    all.push_back(read_run_or_report(each));
    if (const auto* wrong = first_of<caveats::run_void>(all.back().found.caveats))
      throw nothing_to_compare{fmt::format("{}: {}", each.string(), text_of(*wrong))};
    if (const auto why = ruin_of(all.back().found); !why.empty())
      throw nothing_to_compare{fmt::format("{}: no verdict: {}", each.string(), why)};
  }
  return all;
}

}  // namespace

std::string spread_text(const run_comparison& change) {
  std::vector<std::string> assumed, estimated;
  for (const auto& [what, spread] : change.spreads) {
    auto text = fmt::format("{} by {}", name_of(what), percent_text(spread.own));
    if (spread.common > 0)
      text += fmt::format(" and all loads together by {}", percent_text(spread.common));
    (spread.is_prior ? assumed : estimated).push_back(std::move(text));
  }
  const auto sentence = [](const std::vector<std::string>& parts, const std::string& source) {
    return parts.empty() ? std::string{}
                         : fmt::format("from run to run of one program a ratio moves, {}: {}",
                                       source, fmt::join(parts, ", "));
  };
  const auto first =
      sentence(estimated, fmt::format("as the {} earlier runs show", change.runs.size() - 1));
  const auto second = sentence(assumed, "as is assumed below three earlier runs (prior)");
  return first + (first.empty() || second.empty() ? "" : "; ") + second;
}

run_comparison compare_runs(const std::vector<std::filesystem::path>& runs,
                            std::optional<double> gate) {
  std::vector<std::string> names;
  for (const auto& each : runs) names.push_back(each.string());
  return comparison_of_runs{read_all(runs), std::move(names), gate}.compared();
}

}  // namespace bench
