// statistics: what a handful of paired blocks says, and how sure it is.
//
//     signed_rank_interval(differences, 0.95)   // Hodges-Lehmann estimate, exact Wilcoxon interval
//
// Few blocks, heavy tails, no bell curve: the signed-rank interval keeps its promise at n = 6 where
// a bootstrap misses up to five times as often as it says (Hollander, Wolfe and Chicken,
// "Nonparametric Statistical Methods", 3rd ed., chapter 3).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace bench {

struct interval {
  double low = 0;
  double high = 0;

  bool excludes(double value) const { return value < low || value > high; }
  double half_width() const { return (high - low) / 2; }
};

// An estimate from `n` blocks. `range` is absent where n is too small to promise any coverage.
struct estimate {
  double value = 0;
  std::optional<interval> range;
  int n = 0;
};

// The k of the interval [W_(k), W_(M+1-k)] over the sorted Walsh averages: the largest whose
// two-sided miss probability is at most 1 - confidence. Zero: n is too small for any.
std::size_t signed_rank_k(std::size_t n, double confidence);

// Hodges-Lehmann estimate (the median of the Walsh averages) and its exact interval. No values: 0,
// no interval, n = 0. Fewer than six at 95 %: no interval.
estimate signed_rank_interval(std::span<const double> values, double confidence = 0.95);

// Of logarithms of ratios: the ratio itself, with its interval.
estimate ratio_from_log(estimate logarithmic);

// Mean and Student's t interval of the same values, for readers who know that one. Absent interval
// below two values.
estimate paired_t_interval(std::span<const double> values, double confidence = 0.95);

// Difference of two unpaired means, after - before, with Welch's interval and the two-sided p of
// "no difference". Needs two values on either side; fewer: absent.
struct welch_result {
  double difference = 0;
  interval range;
  double p = 1;
  double standard_error = 0;
  double freedom = 1;

  // One-sided, of "the difference is at most so much".
  double p_at_most(double limit) const;
};
std::optional<welch_result> welch(std::span<const double> before, std::span<const double> after,
                                  double confidence = 0.95);

// A probability below it is called a change.
inline constexpr double significance = 0.05;

// Probabilities corrected for having looked at so many, each in its place: Holm's step-down, which
// holds the smallest to the strictest level. None above 1.
std::vector<double> holm_corrected(std::span<const double> probabilities);

// Probability of autocorrelation as strong as this if the blocks were independent (Ljung-Box).
// Absent below eight values, and where they do not vary.
std::optional<double> ljung_box_p(std::span<const double> values);

// Sample standard deviation; zero below two values.
double spread(std::span<const double> values);

}  // namespace bench
