#include <bench/compare/gate.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/record/caveats.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/numbers.hpp>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace bench {
namespace {

// "A against B: CPU per message +0.4 % [-0.3, +1.1] over 8 loads"
std::string change_text(const overall_row& row) {
  const auto& [loads, ratio, verdict] = *row.cpu;
  const auto percent = [](double of) { return 100 * (of - 1); };
  return fmt::format("{} against {}: CPU per message {:+.1f} % [{:+.1f}, {:+.1f}] over {} {}",
                     row.comparison.contender, row.comparison.base, percent(ratio.value),
                     percent(ratio.range->low), percent(ratio.range->high), loads.size(),
                     loads.size() == 1 ? "load" : "loads");
}

std::string why_no_change(const overall_row& row) {
  return fmt::format(
      "{} against {}: {}", row.comparison.contender, row.comparison.base,
      row.cpu ? "too few rounds for an interval" : "the CPU per message is not known");
}

interval change_of(const overall_row& row) {
  return {row.cpu->ratio.range->low - 1, row.cpu->ratio.range->high - 1};
}

// What was asked for and is not among what the gate judges.
std::vector<std::string> left_out(const results& found) {
  std::vector<std::string> reasons;
  for (const auto& each : found.caveats)
    if (std::holds_alternative<caveats::server_missing>(each) ||
        std::holds_alternative<caveats::descriptors_missing>(each))
      reasons.push_back(text_of(each));
  for (const auto& row : found.costs)
    if (!is_injected(row.comparison) &&
        (row.verdict.what == finding::conflict || row.verdict.what == finding::unmeasured))
      reasons.push_back(fmt::format("{} against {} on {}: {}", row.comparison.contender,
                                    row.comparison.base, row.scenario.text(), row.verdict.words));
  return reasons;
}

}  // namespace

int exit_code_of(gate_result result) {
  switch (result) {
    case gate_result::failed:
      return 1;
    case gate_result::inconclusive:
      return 4;
    case gate_result::none:
    case gate_result::passed:
      return 0;
  }
  return 0;
}

std::string_view word_of(gate_result result) {
  switch (result) {
    case gate_result::failed:
      return "FAILED";
    case gate_result::inconclusive:
      return "inconclusive, neither passed nor failed";
    case gate_result::none:
    case gate_result::passed:
      return "passed";
  }
  return "passed";
}

gate_result gate_of(const interval& change, double gate) {
  if (change.low > gate) return gate_result::failed;
  return change.high < gate ? gate_result::passed : gate_result::inconclusive;
}

gate_result all_of(const std::vector<gate_result>& results) {
  const auto any = [&](gate_result wanted) {
    return std::find(results.begin(), results.end(), wanted) != results.end();
  };
  if (any(gate_result::failed)) return gate_result::failed;
  return any(gate_result::inconclusive) ? gate_result::inconclusive : gate_result::passed;
}

std::vector<std::string> why_no_gate(const results& found) {
  std::vector<std::string> reasons;
  if (std::max(grade_of(found.noise), grade_of(found.noise_alone)) == 'D')
    reasons.emplace_back("noise grade D, too noisy for a gate");
  for (const auto& each : found.caveats)
    if (std::holds_alternative<caveats::debug_build>(each)) reasons.push_back(text_of(each));
  return reasons;
}

run_gate judge_gate(const results& found, double gate) {
  std::vector<gate_result> results;
  run_gate judged;
  for (const auto& row : found.overall.value_or(std::vector<overall_row>{})) {
    if (is_injected(row.comparison)) continue;
    const bool has_range = row.cpu && row.cpu->ratio.range;
    judged.reasons.push_back(has_range ? change_text(row) : why_no_change(row));
    results.push_back(has_range ? gate_of(change_of(row), gate) : gate_result::inconclusive);
  }
  if (results.empty())
    judged.reasons.emplace_back(
        "of no two servers the run has the CPU per message in a closed loop");
  judged.result = results.empty() ? gate_result::inconclusive : all_of(results);
  for (const auto& each : left_out(found)) {
    judged.reasons.push_back(each);
    if (judged.result == gate_result::passed) judged.result = gate_result::inconclusive;
  }
  for (const auto& each : why_no_gate(found)) {
    judged.reasons.push_back(each);
    judged.result = gate_result::inconclusive;
  }
  return judged;
}

gate_judgement judge_gate(const between_runs& model, const std::vector<row_in_runs>& rows,
                          double limit) {
  std::vector<const row_in_runs*> all;
  std::vector<double> probabilities;
  for (const auto& row : rows) {
    all.push_back(&row);
    probabilities.push_back(model.change(row).p_at_most(std::log1p(limit)));
  }
  // The two-sided intervals whose ends are exceeded by a tenth and a twentieth.
  const auto mean = model.mean_change(all);
  const auto apart = model.mean_change(all, between_runs::prior_of::each_row);
  gate_judgement judged{gate_result::inconclusive,
                        std::expm1(mean.value),
                        std::expm1(mean.range(0.8).low),
                        std::expm1(apart.range(0.9).high),
                        {}};
  const auto corrected = holm_corrected(probabilities);
  for (std::size_t i = 0; i < corrected.size(); ++i)
    if (corrected[i] < significance) judged.above.push_back(i);
  if (judged.at_least > limit || !judged.above.empty())
    judged.result = gate_result::failed;
  else if (judged.at_most < limit)
    judged.result = gate_result::passed;
  return judged;
}

std::string gate_text(const compare_gate& gate, gate_result result) {
  return fmt::format(
      "Gate {}: {}; CPU per message {:+.1f} % over all loads: at least {:+.1f} % (90 % sure), at "
      "most {:+.1f} % (95 % sure)",
      percent_text(gate.limit), word_of(result), 100 * gate.change, 100 * gate.at_least,
      100 * gate.at_most);
}

double parse_percentage(std::string_view text) {
  const auto reject = [&]() -> double {
    throw std::invalid_argument{
        fmt::format("--gate '{}' is not a percentage above 0 and up to 100, for example 3%", text)};
  };
  auto digits = text;
  if (digits.ends_with('%')) digits.remove_suffix(1);
  while (digits.ends_with(' ')) digits.remove_suffix(1);
  double number = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc{} || stopped != end || !(number > 0) || number > 100) return reject();
  return number / 100;
}

}  // namespace bench
