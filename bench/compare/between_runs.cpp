#include <bench/compare/between_runs.hpp>

#include <algorithm>
#include <boost/math/distributions/fisher_f.hpp>
#include <cmath>
#include <limits>
#include <numeric>

namespace bench {
namespace {

// Fewer earlier runs tell too little of what moves between them.
constexpr std::size_t least_runs = 3;

// The level of the test for a part that all rows have in common. It is low, since where the test
// errs, an unchanged program does not pass a gate.
constexpr double common_level = 0.01;

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double squared_deviations(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double each : values) sum += (each - mean) * (each - mean);
  return sum;
}

// The mean over rows in each run.
std::vector<double> run_means(const std::vector<std::span<const double>>& rows) {
  std::vector<double> means(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t run = 0; run < row.size(); ++run)
      means[run] += row[run] / static_cast<double>(rows.size());
  return means;
}

// Two-way analysis of variance without replication, of rows that all runs have (Fisher). nullopt:
// the runs do not show that rows move together.
std::optional<run_spread> common_spread(const std::vector<std::span<const double>>& rows) {
  if (rows.size() < 2) return std::nullopt;
  const auto count = static_cast<double>(rows.size());
  const auto runs = static_cast<double>(rows.front().size());
  double within_rows = 0;
  for (const auto& row : rows) within_rows += squared_deviations(row);
  const double of_means = squared_deviations(run_means(rows)) / (runs - 1);
  const double left_over = std::max(0.0, within_rows - count * (runs - 1) * of_means);
  const double freedom = (runs - 1) * (count - 1);
  const double own = left_over / freedom;
  if (of_means <= 0) return std::nullopt;
  const double f = count * of_means / own;  // infinite where nothing but the runs differs
  if (std::isfinite(f)) {
    const boost::math::fisher_f distribution{runs - 1, freedom};
    if (cdf(complement(distribution, f)) >= common_level) return std::nullopt;
  }
  return run_spread{std::sqrt(own), std::sqrt(std::max(0.0, of_means - own / count)), runs - 1,
                    false};
}

run_spread spread_of(std::span<const row_in_runs> rows, double prior) {
  std::size_t most = 0;
  for (const auto& row : rows) most = std::max(most, row.before.size());
  if (most < least_runs) return {prior, 0, std::numeric_limits<double>::infinity(), true};
  double squares = 0, freedom = 0;
  std::vector<std::span<const double>> complete;
  for (const auto& row : rows) {
    squares += squared_deviations(row.before);
    freedom += static_cast<double>(row.before.size()) - 1;
    if (row.before.size() == most) complete.emplace_back(row.before);
  }
  if (const auto common = common_spread(complete)) return *common;
  return {std::sqrt(squares / freedom), 0, freedom, false};
}

// The variance of after - before, of a part that is new in each run.
double over_runs(double variance, std::size_t before) {
  return variance * (1 + 1 / static_cast<double>(before));
}

}  // namespace

between_runs::between_runs(std::span<const row_in_runs> rows, double prior, double least)
    : spread_{spread_of(rows, prior)}, least_{least} {}

t_estimate between_runs::change(const row_in_runs& row) const {
  return mean_change({&row});
}

// The degrees of freedom are those of Satterthwaite, "An Approximate Distribution of Estimates of
// Variance Components", 1946. Where the spread was estimated, it holds what the blocks say, too.
t_estimate between_runs::mean_change(const std::vector<const row_in_runs*>& rows,
                                     prior_of what) const {
  const bool shares_prior = spread_.is_prior && what == prior_of::all_together;
  const double own = std::max(spread_.own, least_);
  const auto count = static_cast<double>(rows.size());
  t_estimate mean;
  double variance = 0, uncertainty = 0, between = 0;
  const auto add = [&](double part, double freedom) {
    variance += part;
    uncertainty += part * part / freedom;
  };
  auto fewest = rows.front()->before.size();
  for (const auto* row : rows) {
    const auto before = row->before.size();
    const double blocks = row->block_error;
    const bool blocks_decide = !spread_.is_prior && blocks > own;
    mean.value += (row->after - mean_of(row->before)) / count;
    fewest = std::min(fewest, before);
    if (spread_.is_prior || blocks_decide)
      add(over_runs(blocks * blocks, before) / (count * count), row->block_freedom);
    if (!shares_prior && !blocks_decide) between += over_runs(own * own, before) / (count * count);
  }
  if (shares_prior) between = over_runs(own * own, fewest);
  add(between + over_runs(spread_.common * spread_.common, fewest), spread_.freedom);
  mean.standard_error = std::sqrt(variance);
  mean.freedom =
      uncertainty > 0 ? variance * variance / uncertainty : std::numeric_limits<double>::infinity();
  return mean;
}

}  // namespace bench
