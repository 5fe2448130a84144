#include <bench/analysis/family.hpp>

#include <bench/server/catalogue.hpp>
#include <cmath>
#include <optional>
#include <vector>

namespace bench {
namespace {

std::vector<double> log_ratios_of(const std::vector<block_cost>& blocks) {
  std::vector<double> logs;
  for (const auto& each : blocks) logs.push_back(std::log(each.ratio));
  return logs;
}

double common_autocorrelation_of(const results& found) {
  std::vector<std::vector<double>> series;
  for (const auto& row : found.costs) series.push_back(log_ratios_of(row.blocks));
  for (const auto& row : found.controls) series.push_back(log_ratios_of(row.blocks));
  return common_autocorrelation(series);
}

// A row of the family, or one that is judged by itself.
struct candidate {
  cost_row* row;
  std::vector<double> logs;
  std::optional<in_family> place = {};
};

std::vector<candidate> candidates_of(results& found) {
  std::vector<candidate> all;
  for (auto& row : found.costs)
    if (row.verdict.what != finding::unmeasured) all.push_back({&row, log_ratios_of(row.blocks)});
  return all;
}

bool is_control(const cost_row& row) {
  return injected_ns(row.comparison.contender) || injected_ns(row.comparison.base);
}

void correct(std::vector<candidate>& all, double widening) {
  std::vector<double> probabilities;
  for (const auto& each : all)
    if (!is_control(*each.row)) probabilities.push_back(signed_rank_p(each.logs, widening));
  const auto corrected = holm_corrected(probabilities);
  std::size_t next = 0;
  for (auto& each : all)
    if (!is_control(*each.row)) each.place = in_family{corrected.size(), corrected[next++]};
}

void give_verdict(const candidate& judged, const results& found, double widening) {
  auto& row = *judged.row;
  const bool shared = row.decided_by == block_kind::duet;
  const auto& noise = shared || !found.noise_alone ? found.noise : found.noise_alone;
  const auto log_ratio = widened(signed_rank_interval(judged.logs), widening);
  row.ratio = ratio_from_log(log_ratio);
  if (log_ratio.range) row.smallest_visible = std::expm1(log_ratio.range->half_width());
  if (judged.place) row.p_in_run = judged.place->p;
  row.verdict = judge(log_ratio, log_from_ratio(row.exclusive_ratio),
                      shared ? found.margin : found.margin_alone, grade_of(noise),
                      judged.place.value_or(in_family{}));
}

}  // namespace

void judge_together(results& found) {
  found.autocorrelation = common_autocorrelation_of(found);
  const double widening = widening_of(*found.autocorrelation);
  auto all = candidates_of(found);
  correct(all, widening);
  for (const auto& each : all) give_verdict(each, found, widening);
}

}  // namespace bench
