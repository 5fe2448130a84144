#include <bench/selftest/selftest.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/analysis/analysis.hpp>
#include <bench/analysis/costs.hpp>
#include <bench/statistics/histogram.hpp>
#include <bench/text/numbers.hpp>
#include <cmath>
#include <random>

namespace bench {
namespace {

constexpr double least_found = 0.5;
constexpr double most_found = 1.3;
constexpr double latest_us = 200;
constexpr double histogram_precision = 0.008;  // as histogram.hpp states

// Analyses the blocks exactly as every report does.
results analysed(std::vector<block> blocks) {
  run_record record;
  record.blocks = std::move(blocks);
  record.end = run_end::complete;
  return analyse(record);
}

std::string curve_text(const slice& of) {
  return fmt::format("p50 {}, p90 {}, p99 {}, max {} us", microseconds_text(of.p50_us),
                     microseconds_text(of.p90_us), microseconds_text(of.p99_us),
                     microseconds_text(of.max_us));
}

}  // namespace

proof judge_same(const std::vector<block>& blocks) {
  const auto found = analysed(blocks);
  if (found.costs.empty()) return {false, "no block was measured"};
  const auto& row = found.costs.front();
  const auto noise = noise_of(log_ratios_of(row.blocks));
  const double margin = margin_of(noise);
  const auto words = fmt::format("ratio {}, margin {}: {}", interval_text(row.ratio, ratio_text),
                                 percent_text(margin), row.verdict.words);
  if (!noise || noise->grade == 'D')
    return {false, "not provable in such noise, grade D: " + words};
  if (row.verdict.what == finding::unmeasured) return {false, words};
  const bool called_different =
      row.verdict.what == finding::lower || row.verdict.what == finding::higher;
  return {!called_different && std::abs(std::log(row.ratio.value)) <= margin, words};
}

proof judge_injected(const std::vector<block>& blocks, double injected_ns) {
  const auto found = analysed(blocks);
  if (found.costs.empty()) return {false, "no block was measured"};
  const auto& row = found.costs.front();
  const auto& difference = row.difference_ns;
  const auto range = difference.range.value_or(interval{difference.value, difference.value});
  const bool about_right =
      range.high >= least_found * injected_ns && range.low <= most_found * injected_ns;
  return {
      row.verdict.what == finding::higher && about_right,
      fmt::format("{}: {} of {} ns, which is {:.2f} of it ({} to {} is right)", row.verdict.words,
                  interval_text(difference, ns_text, "ns"), ns_text(injected_ns),
                  difference.value / injected_ns, least_found, most_found)};
}

proof judge_omission(const slice& closed, const slice& open, double pause_us) {
  const bool seen_open = open.p99_us >= pause_us / 2;
  const bool seen_closed = closed.p99_us >= pause_us / 2;
  return {seen_open && !seen_closed,
          fmt::format("stopped for {:.0f} ms: open loop {}; closed loop {}", pause_us / 1000,
                      curve_text(open), curve_text(closed))};
}

proof judge_refusal(const std::vector<refusal>& seen) {
  proof all{!seen.empty(), {}};
  for (const auto& [server, reason] : seen) {
    if (!reason) all.holds = false;
    all.words += fmt::format("{}{}", all.words.empty() ? "" : "; ",
                             reason ? *reason : server + " was scored as if it were right");
  }
  return all;
}

proof judge_client(const client_check& seen) {
  return {seen.late_p99_us <= latest_us && seen.worst_percentile_error <= histogram_precision,
          fmt::format("it can ask for {} messages/s; at half of that its sends are late by {} us "
                      "p99 (at most {:.0f}); percentiles are off by {:.2f} % at worst (at most "
                      "{:.1f} %)",
                      count_text(seen.ceiling_per_second), microseconds_text(seen.late_p99_us),
                      latest_us, 100 * seen.worst_percentile_error, 100 * histogram_precision)};
}

double worst_percentile_error(int values, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::uniform_real_distribution<double> exponent{0, std::log(60e9)};
  std::vector<std::uint64_t> sorted;
  histogram recorded;
  for (int i = 0; i < values; ++i) {
    sorted.push_back(static_cast<std::uint64_t>(std::exp(exponent(random))));
    recorded.record(sorted.back());
  }
  std::sort(sorted.begin(), sorted.end());
  double worst = 0;
  for (const double percent : {1.0, 10.0, 25.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank = std::ceil(percent / 100 * values);
    const auto exact = static_cast<double>(sorted[static_cast<std::size_t>(rank) - 1]);
    worst = std::max(worst, std::abs(recorded.percentile(percent) - exact) / exact);
  }
  return worst;
}

}  // namespace bench
