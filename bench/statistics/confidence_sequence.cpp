#include <bench/statistics/confidence_sequence.hpp>

#include <algorithm>
#include <boost/math/statistics/univariate_statistics.hpp>
#include <cmath>
#include <optional>

namespace bench {
namespace {

// The g of the header. It decides at which n the intervals are narrowest, and not whether they keep
// the promise. At 5 a difference of two to seven standard deviations is found earliest, as those of
// servers mostly are.
constexpr double variance_of_effects = 5;

// The largest t^2 / (n - 1) of the header's condition, from its logarithm. nullopt: any t meets it.
std::optional<double> largest_square(double n, double alpha) {
  const double growth = 1 + n * variance_of_effects;
  const double limit = std::exp(2 / n * (std::log(growth) / 2 - std::log(alpha)));
  if (limit >= growth) return std::nullopt;
  return (limit - 1) / (1 - limit / growth);
}

}  // namespace

estimate confidence_sequence(std::span<const double> values, double alpha) {
  if (values.empty()) return {};
  estimate result{boost::math::statistics::mean(values.begin(), values.end()), std::nullopt,
                  static_cast<int>(values.size())};
  if (values.size() < 2) return result;
  const auto n = static_cast<double>(values.size());
  if (const auto square = largest_square(n, alpha)) {
    const double half_width = spread(values) * std::sqrt((n - 1) * *square / n);
    result.range = interval{result.value - half_width, result.value + half_width};
  }
  return result;
}

double sequence_p(std::span<const double> values, double widening) {
  if (values.size() < 2) return 1;
  const auto n = static_cast<double>(values.size());
  const double mean = boost::math::statistics::mean(values.begin(), values.end());
  const double deviation = widening * spread(values);
  if (deviation == 0) return mean == 0 ? 1 : 0;
  const double square = n * std::pow(mean / deviation, 2) / (n - 1);
  const double growth = 1 + n * variance_of_effects;
  const double evidence =
      n / 2 * (std::log1p(square) - std::log1p(square / growth)) - std::log(growth) / 2;
  return std::min(1.0, std::exp(-evidence));
}

std::size_t fewest_for_sequence(double alpha) {
  std::size_t n = 2;
  while (!largest_square(static_cast<double>(n), alpha)) ++n;
  return n;
}

}  // namespace bench
