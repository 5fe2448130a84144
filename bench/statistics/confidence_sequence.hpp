// confidence_sequence: an interval that may be watched while it grows.
//
//     for (;;) {
//       log_ratios.push_back(measure_block());
//       const auto found = confidence_sequence(log_ratios);
//       if (found.range && found.range->excludes(0)) break;   // allowed at any n
//     }
//
// Who looks at a 95 % interval after every block, and stops as soon as it excludes 0, is wrong far
// more often than in 5 % of all cases. These intervals keep the promise for all n together: in at
// most `alpha` of all series does any of them, however many follow, miss the truth.
//
// For n values with the mean m and the sample standard deviation s, those u belong to the interval
// for which
//
//     (1 + n g)^(-1/2) * ((1 + t^2 / (n - 1)) / (1 + t^2 / ((n - 1) (1 + n g))))^(n / 2) < 1 /
//     alpha
//
// with t = (m - u) sqrt(n) / s. At the truth, the left side is a ratio of likelihoods with the mean
// 1 at any n: that of "u is off by d standard deviations", averaged over d from a normal
// distribution with the variance g, to that of "u is the truth". By Ville's inequality it ever
// reaches 1 / alpha with a probability of at most `alpha` (Lai, "On Confidence Sequences", Annals
// of Statistics 4, 1976; Wang and Ramdas, "Anytime-valid t-tests and confidence sequences for
// Gaussian means with unknown variance", arXiv 2310.03722, where c^2 is 1 / g).
//
// The promise is exact for independent values from a normal distribution, whose variance need not
// be known. Heavier tails that are symmetric, such as those of a server against itself, make errors
// rarer. Skewed values break it: of simulated series of 60 values, about 17 % miss the mean of an
// exponential distribution, and 18 to 27 % miss it where one value in twenty is higher by ten
// standard deviations of the others, as where only one of two servers is disturbed. Where each
// value resembles the one before it, there are more errors, too.
#pragma once

#include <bench/statistics/statistics.hpp>
#include <cstddef>
#include <span>

namespace bench {

// The mean of the values and its interval. It has no interval below fewest_for_sequence(alpha)
// values, since none of finite length keeps the promise. If all values are equal, it has no width.
// `alpha` lies above 0 and below 1.
estimate confidence_sequence(std::span<const double> values, double alpha = significance);

// The p-value of "the truth is 0" that may be watched: the smallest alpha at which the interval,
// widened by `widening`, excludes 0. However many values follow, it ever falls to p with a
// probability of at most p. Below two values it is 1.
double sequence_p(std::span<const double> values, double widening = 1);

// From so many values on there is an interval, which may exclude 0 at once: 4 at an alpha of 5 %,
// 5 at 0.5 %.
std::size_t fewest_for_sequence(double alpha = significance);

}  // namespace bench
