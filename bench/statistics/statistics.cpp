// Computes the intervals of statistics.hpp. Student's t and Ljung-Box come from Boost.Math; the
// signed-rank distribution, which Boost.Math lacks, is computed here.
#include <bench/statistics/statistics.hpp>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/statistics/ljung_box.hpp>
#include <boost/math/statistics/univariate_statistics.hpp>
#include <cmath>
#include <vector>

namespace bench {
namespace {

// The null distribution of the Wilcoxon signed-rank statistic: element s is the share of the 2^n
// sign patterns whose positive ranks sum to s. These are the coefficients of prod (1 + z^i) / 2^n,
// halved at each step so that nothing overflows.
std::vector<double> signed_rank_distribution(std::size_t n) {
  std::vector<double> share(n * (n + 1) / 2 + 1, 0.0);
  share[0] = 1;
  std::size_t largest = 0;
  for (std::size_t rank = 1; rank <= n; ++rank) {
    largest += rank;
    for (std::size_t sum = largest + 1; sum-- > 0;)
      share[sum] = (share[sum] + (sum >= rank ? share[sum - rank] : 0.0)) / 2;
  }
  return share;
}

std::vector<double> sorted_walsh_averages(std::span<const double> values) {
  std::vector<double> averages;
  averages.reserve(values.size() * (values.size() + 1) / 2);
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = i; j < values.size(); ++j)
      averages.push_back(std::midpoint(values[i], values[j]));
  std::sort(averages.begin(), averages.end());
  return averages;
}

double mean_of(std::span<const double> values) {
  return boost::math::statistics::mean(values.begin(), values.end());
}

double lag1_autocorrelation(std::span<const double> values) {
  const double mean = mean_of(values);
  double with_next = 0, with_itself = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    with_itself += (values[i] - mean) * (values[i] - mean);
    if (i > 0) with_next += (values[i - 1] - mean) * (values[i] - mean);
  }
  return with_itself > 0 ? with_next / with_itself : 0;
}

// Squared standard error of the mean.
double squared_standard_error(std::span<const double> values) {
  const double deviation = spread(values);
  return deviation * deviation / static_cast<double>(values.size());
}

double students_t_quantile(double degrees_of_freedom, double confidence) {
  const boost::math::students_t distribution{degrees_of_freedom};
  return quantile(complement(distribution, (1 - confidence) / 2));
}

}  // namespace

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return std::midpoint(*std::max_element(values.begin(), middle), *middle);
}

std::size_t signed_rank_k(std::size_t n, double confidence) {
  const auto share = signed_rank_distribution(n);
  double missed = 0;  // probability that [W_(k+1), W_(M-k)] lies on one side of the truth
  for (std::size_t k = 0; k < share.size(); ++k) {
    missed += share[k];
    if (2 * missed > 1 - confidence) return k;
  }
  return 0;
}

estimate signed_rank_interval(std::span<const double> values, double confidence) {
  if (values.empty()) return {};
  const auto averages = sorted_walsh_averages(values);
  estimate result{median(averages), std::nullopt, static_cast<int>(values.size())};
  const auto k = signed_rank_k(values.size(), confidence);
  if (k > 0) result.range = interval{averages[k - 1], averages[averages.size() - k]};
  return result;
}

double signed_rank_p(std::span<const double> values, double widening) {
  const auto averages = sorted_walsh_averages(values);
  const auto share = signed_rank_distribution(values.size());
  estimate at{averages.empty() ? 0 : median(averages), std::nullopt, 0};
  double missed = 0;  // probability that the interval lies on one side of the truth
  for (std::size_t k = 1; k <= averages.size() / 2; ++k) {
    missed += share[k - 1];
    at.range = interval{averages[k - 1], averages[averages.size() - k]};
    if (widened(at, widening).range->excludes(0)) return std::min(1.0, 2 * missed);
  }
  return 1;
}

double common_autocorrelation(std::span<const std::vector<double>> series) {
  constexpr std::size_t fewest = 6;
  constexpr double most = 0.9;
  double sum = 0, count = 0, values = 0;
  for (const auto& each : series) {
    if (each.size() < fewest || spread(each) <= 0) continue;
    const auto n = static_cast<double>(each.size());
    sum += (n * lag1_autocorrelation(each) + 1) / (n - 3);
    count += 1;
    values += n;
  }
  if (sum <= 0) return 0;
  const double common = sum / count;
  const double squared_error = 1 / values;
  return std::clamp(common * (1 - squared_error / (common * common)), 0.0, most);
}

double widening_of(double autocorrelation) {
  return std::sqrt((1 + autocorrelation) / (1 - autocorrelation));
}

estimate widened(estimate narrow, double factor) {
  if (!narrow.range) return narrow;
  const auto [low, high] = *narrow.range;
  narrow.range = interval{narrow.value - factor * (narrow.value - low),
                          narrow.value + factor * (high - narrow.value)};
  return narrow;
}

estimate ratio_from_log(estimate logarithmic) {
  if (logarithmic.n == 0) return logarithmic;
  logarithmic.value = std::exp(logarithmic.value);
  if (logarithmic.range)
    logarithmic.range =
        interval{std::exp(logarithmic.range->low), std::exp(logarithmic.range->high)};
  return logarithmic;
}

estimate log_from_ratio(estimate ratio) {
  if (ratio.n == 0) return ratio;
  ratio.value = std::log(ratio.value);
  if (ratio.range) ratio.range = interval{std::log(ratio.range->low), std::log(ratio.range->high)};
  return ratio;
}

estimate paired_t_interval(std::span<const double> values, double confidence) {
  if (values.empty()) return {};
  estimate result{mean_of(values), std::nullopt, static_cast<int>(values.size())};
  if (values.size() < 2) return result;
  const double half_width =
      students_t_quantile(static_cast<double>(values.size() - 1), confidence) *
      std::sqrt(squared_standard_error(values));
  result.range = interval{result.value - half_width, result.value + half_width};
  return result;
}

interval t_estimate::range(double confidence) const {
  const double half_width =
      standard_error > 0 ? students_t_quantile(freedom, confidence) * standard_error : 0;
  return {value - half_width, value + half_width};
}

double t_estimate::p() const {
  return std::min(1.0, 2 * t_estimate{std::abs(value), standard_error, freedom}.p_at_most(0));
}

double t_estimate::p_at_most(double limit) const {
  if (standard_error <= 0) return value > limit ? 0 : 1;
  const boost::math::students_t distribution{freedom};
  return cdf(complement(distribution, (value - limit) / standard_error));
}

std::vector<double> holm_corrected(std::span<const double> probabilities) {
  std::vector<std::size_t> ascending(probabilities.size());
  std::iota(ascending.begin(), ascending.end(), std::size_t{0});
  std::sort(ascending.begin(), ascending.end(),
            [&](auto a, auto b) { return probabilities[a] < probabilities[b]; });
  std::vector<double> corrected(probabilities.size());
  double running = 0;
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    const double strict = probabilities[ascending[i]] * static_cast<double>(ascending.size() - i);
    running = std::max(running, std::min(1.0, strict));
    corrected[ascending[i]] = running;
  }
  return corrected;
}

namespace {

// Removes test j from the plan: the others get its share, and its passes end where they led.
void hand_on(test_plan& plan, std::size_t j) {
  const auto tests = plan.shares.size();
  const auto old = plan.passes;
  for (std::size_t i = 0; i < tests; ++i) {
    if (i == j) continue;
    plan.shares[i] += plan.shares[j] * old[j][i];
    const double there_and_back = old[i][j] * old[j][i];
    for (std::size_t k = 0; k < tests; ++k) {
      const bool is_gone = k == i || k == j || there_and_back >= 1;
      plan.passes[i][k] = is_gone ? 0 : (old[i][k] + old[i][j] * old[j][k]) / (1 - there_and_back);
    }
  }
  plan.shares[j] = 0;
}

}  // namespace

std::vector<double> plan_corrected(std::span<const double> probabilities, test_plan plan) {
  const auto tests = probabilities.size();
  std::vector<double> corrected(tests, 1.0);
  double running = 0;
  for (std::size_t done = 0; done < tests; ++done) {
    std::size_t next = tests;
    for (std::size_t i = 0; i < tests; ++i) {
      if (plan.shares[i] <= 0) continue;
      if (next == tests ||
          probabilities[i] / plan.shares[i] < probabilities[next] / plan.shares[next])
        next = i;
    }
    if (next == tests) break;
    running = std::max(running, std::min(1.0, probabilities[next] / plan.shares[next]));
    corrected[next] = running;
    hand_on(plan, next);
  }
  return corrected;
}

std::optional<double> ljung_box_p(std::span<const double> values) {
  constexpr std::size_t fewest = 8;  // below that, the chi-squared approximation is useless
  if (values.size() < fewest || spread(values) <= 0) return std::nullopt;
  return boost::math::statistics::ljung_box(values.begin(), values.end()).second;
}

double blocks_for_family(std::size_t tests) {
  const boost::math::normal standard;
  const auto at = [&](double level) { return quantile(complement(standard, level / 2)); };
  const double times = at(significance / static_cast<double>(tests)) / at(significance);
  return times * times;
}

double spread(std::span<const double> values) {
  if (values.size() < 2) return 0;
  return std::sqrt(boost::math::statistics::sample_variance(values.begin(), values.end()));
}

}  // namespace bench
