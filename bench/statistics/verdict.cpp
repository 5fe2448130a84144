// The words of each verdict. The conditions are tested in the order in which they are written.
#include <bench/statistics/verdict.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

constexpr char worst_grade = 'D';
constexpr double most_blocks = 1e9;  // no larger number is said

double percent_of(double log_ratio) {
  return 100 * std::expm1(log_ratio);
}

// "4.1 % [3.3, 4.9]": the size of a difference without its sign.
std::string size_of(const estimate& d) {
  const double sign = d.value < 0 ? -1 : 1;
  const double one_end = sign * percent_of(d.range->low);
  const double other_end = sign * percent_of(d.range->high);
  return fmt::format("{:.1f} % [{:.1f}, {:.1f}]", sign * percent_of(d.value),
                     std::min(one_end, other_end), std::max(one_end, other_end));
}

std::string direction_and_size(const estimate& d) {
  return fmt::format("{} by {}", d.value < 0 ? "lower" : "higher", size_of(d));
}

// An interval narrows with the square root of the number of blocks. The question is settled when
// the interval excludes 0, or, if the estimate lies inside the margin, when it fits between the
// margins. At grade D fitting between them is not accepted, so no number of blocks settles that.
std::optional<int> blocks_to_settle(const estimate& d, double margin, char grade) {
  const double to_zero = std::abs(d.value);
  const double to_margin = margin - to_zero;
  if (grade == worst_grade && to_margin > to_zero) return std::nullopt;
  const double times = std::pow(d.range->half_width() / std::max(to_zero, to_margin), 2);
  return static_cast<int>(std::clamp(std::ceil(d.n * (times - 1)), 1.0, most_blocks));
}

verdict too_few_blocks(const estimate& d, looks looked) {
  const int more = fewest_for_interval(looked) - d.n;
  return {finding::inconclusive,
          fmt::format("inconclusive: {} too few for a 95 % interval; {} more {} one",
                      d.n == 1 ? "1 block is" : fmt::format("{} blocks are", d.n), more,
                      more == 1 ? "gives" : "give"),
          more};
}

std::string where_the_truth_lies(const estimate& d) {
  return fmt::format("inconclusive: the truth lies in [{:+.1f}, {:+.1f}] %",
                     percent_of(d.range->low), percent_of(d.range->high));
}

verdict inconclusive(const estimate& d, double margin, char grade, looks looked) {
  if (looked == looks::throughout) return {finding::inconclusive, where_the_truth_lies(d), {}};
  const auto more = blocks_to_settle(d, margin, grade);
  const auto prospect =
      more ? fmt::format("about {} more {} would settle it", *more, *more == 1 ? "block" : "blocks")
           : std::string{"in noise of grade D nothing is called equivalent"};
  return {finding::inconclusive, fmt::format("{}; {}", where_the_truth_lies(d), prospect), more};
}

// The interval excludes 0, but of so many rows one does by chance.
verdict only_by_itself(const estimate& d, const in_family& among) {
  const auto rows = among.rows;
  if (rows == 0 || among.looked == looks::throughout)
    return {finding::inconclusive,
            fmt::format("inconclusive among all rows: {} by itself", direction_and_size(d)),
            {}};
  const double to_zero = std::pow(d.range->half_width() / d.value, 2);
  const double times = to_zero * blocks_for_family(rows);
  const int more = static_cast<int>(std::clamp(std::ceil(d.n * (times - 1)), 1.0, most_blocks));
  return {finding::inconclusive,
          fmt::format("inconclusive among {} rows: {} by itself; about {} more {} would settle it",
                      rows, direction_and_size(d), more, more == 1 ? "block" : "blocks"),
          more};
}

char grade_of_spread(double spread_of_blocks) {
  if (spread_of_blocks < 0.01) return 'A';
  if (spread_of_blocks < 0.03) return 'B';
  return spread_of_blocks < 0.08 ? 'C' : worst_grade;
}

bool opposite(const estimate& a, const estimate& b) {
  return a.range && b.range && a.range->excludes(0) && b.range->excludes(0) &&
         (a.value < 0) != (b.value < 0);
}

}  // namespace

std::optional<noise> noise_of(std::span<const double> control_log_ratios) {
  if (control_log_ratios.size() < 2) return std::nullopt;
  auto control = signed_rank_interval(control_log_ratios);
  // There are too few blocks for the exact interval. Student's t interval is wide then, which errs
  // on the safe side.
  if (!control.range) control = paired_t_interval(control_log_ratios);
  const double deviation = spread(control_log_ratios);
  return noise{control.n, deviation, std::abs(control.value) + control.range->half_width(),
               grade_of_spread(deviation)};
}

double margin_of(const std::optional<noise>& measured) {
  return measured ? std::max(smallest_margin, measured->floor / 2) : smallest_margin;
}

char grade_of(const std::optional<noise>& measured) {
  return measured ? measured->grade : 'A';
}

bool is_equivalent(const interval& range, double margin, char grade) {
  if (range.low <= -margin || range.high >= margin || grade == worst_grade) return false;
  return margin <= smallest_margin || !range.excludes(0);
}

verdict judge(const estimate& log_ratio, double margin, char grade, in_family among) {
  if (!log_ratio.range) return too_few_blocks(log_ratio, among.looked);
  if (is_equivalent(*log_ratio.range, margin, grade))
    return {finding::equivalent, fmt::format("equivalent (within {:.1f} %)", 100 * margin), {}};
  if (!log_ratio.range->excludes(0)) return inconclusive(log_ratio, margin, grade, among.looked);
  if (among.p > significance) return only_by_itself(log_ratio, among);
  if (std::abs(log_ratio.value) <= margin)
    return {finding::tiny,
            fmt::format("tiny difference, below the margin of {:.1f} %", 100 * margin),
            {}};
  return {
      log_ratio.value < 0 ? finding::lower : finding::higher, direction_and_size(log_ratio), {}};
}

verdict judge(const estimate& duet, const estimate& exclusive, double margin, char grade,
              in_family among) {
  if (!opposite(duet, exclusive)) return judge(duet, margin, grade, among);
  return {finding::conflict,
          fmt::format("conflict, no verdict: {} in duet blocks, {} in exclusive ones",
                      direction_and_size(duet), direction_and_size(exclusive)),
          {}};
}

}  // namespace bench
