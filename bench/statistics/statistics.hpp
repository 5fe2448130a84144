// statistics: estimates and intervals from a handful of paired blocks.
//
//     signed_rank_interval(differences, 0.95)   // Hodges-Lehmann, exact Wilcoxon interval
//
// There are few blocks, and their values have heavy tails and no normal distribution. The exact
// Wilcoxon signed-rank interval still has its nominal coverage at n = 6, where a bootstrap interval
// misses the truth up to five times as often as it states (Hollander, Wolfe and Chicken,
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

// An estimate from `n` blocks. `range` is absent if n is too small for an interval.
struct estimate {
  double value = 0;
  std::optional<interval> range;
  int n = 0;
};

// The middle value, or the mean of the two in the middle. `values` must not be empty.
double median(std::vector<double> values);

// The k of the interval [W_(k), W_(M+1-k)] over the M sorted Walsh averages: the largest k whose
// two-sided probability of missing the truth is at most 1 - confidence. 0: n is too small.
std::size_t signed_rank_k(std::size_t n, double confidence);

// The Hodges-Lehmann estimate (median of the Walsh averages) and its exact interval. No values: 0,
// no interval, n = 0. Fewer than six values at 95 %: no interval.
estimate signed_rank_interval(std::span<const double> values, double confidence = 0.95);

// The two-sided p-value of "the truth is 0": the smallest 1 - confidence at which that interval,
// widened by `widening`, excludes 0. At a widening of 1 it is that of the signed-rank test. No
// values: 1. The smallest one that n values can have is 2 / 2^n.
double signed_rank_p(std::span<const double> values, double widening = 1);

// How much blocks resemble the ones before them: the lag-1 autocorrelation that all series have in
// common. Each one's is corrected for its bias (Kendall, "Note on Bias in the Estimation of
// Autocorrelation", Biometrika 41, 1954) and their mean is shrunk by its standard error, as James
// and Stein do, so that chance alone hardly shows. Series below six values do not count. 0 to 0.9.
double common_autocorrelation(std::span<const std::vector<double>> series);

// The factor on the width of an interval whose values have this lag-1 autocorrelation r:
// sqrt((1 + r) / (1 - r)), since n of them tell as much as n (1 - r) / (1 + r) independent ones
// (Bayley and Hammersley, "The Effective Number of Independent Observations", 1946).
double widening_of(double autocorrelation);

// The interval's ends move away from the estimate by this factor.
estimate widened(estimate narrow, double factor);

// Turns an estimate of a log ratio into one of the ratio, with its interval.
estimate ratio_from_log(estimate logarithmic);
estimate log_from_ratio(estimate ratio);

// The mean and Student's t interval of the same values, for readers who know that one. Fewer than
// two values: no interval.
estimate paired_t_interval(std::span<const double> values, double confidence = 0.95);

// An estimate whose error is distributed as Student's t, such as the difference of two means.
struct t_estimate {
  double value = 0;
  double standard_error = 0;  // 0: the value is exact
  double freedom = 1;         // degrees of freedom; infinite: the error is normally distributed

  interval range(double confidence = 0.95) const;
  double p() const;                      // of "the truth is 0", two-sided
  double p_at_most(double limit) const;  // of "the truth is at most `limit`", one-sided
};

// A p-value below this is called a change.
inline constexpr double significance = 0.05;

// p-values corrected for multiple comparisons by Holm's step-down method, in the order given. The
// smallest is multiplied by the number of tests. None exceeds 1.
std::vector<double> holm_corrected(std::span<const double> probabilities);

// A plan for tests in a certain order: each has a share of the significance, and passes it on to
// others when it is significant. The shares sum up to at most 1, and so do those of each row of
// `passes`.
struct test_plan {
  std::vector<double> shares;
  std::vector<std::vector<double>> passes;  // passes[i][j]: what test i leaves to test j
};

// p-values corrected by such a plan, in the order given: the probability that any of the tests in
// which nothing differs falls below p is at most p (Bretz, Maurer, Brannath and Posch, "A graphical
// approach to sequentially rejective multiple test procedures", Statistics in Medicine 28, 2009,
// algorithm 2). With equal shares that each passes on equally, it is Holm's method. None exceeds 1.
std::vector<double> plan_corrected(std::span<const double> probabilities, test_plan plan);

// The Ljung-Box p-value: the probability of an autocorrelation at least this strong if the blocks
// were independent. nullopt below eight values, or if they do not vary.
std::optional<double> ljung_box_p(std::span<const double> values);

// By this factor more blocks settle one of `tests` verdicts than settle a single one: the square of
// the ratio of the normal quantiles at significance / tests and at significance.
double blocks_for_family(std::size_t tests);

// Sample standard deviation; 0 below two values.
double spread(std::span<const double> values);

}  // namespace bench
