#include <bench/compare/history.hpp>

#include <cmath>
#include <limits>

namespace bench {
namespace {

struct step {
  run_point* to;
  t_estimate log_change;
};

std::vector<step> steps_of(std::vector<change_row>& rows) {
  const double between_runs = prior_spread(quantity::cpu) * std::sqrt(2.0);
  std::vector<step> steps;
  for (auto& row : rows) {
    if (row.about.what != quantity::cpu) continue;
    const run_point* from = nullptr;
    for (auto& point : row.points) {
      if (!point) continue;
      if (from)
        steps.push_back({&*point,
                         {std::log(point->ratio / from->ratio),
                          std::hypot(between_runs, point->block_error, from->block_error),
                          std::numeric_limits<double>::infinity()}});
      from = &*point;
    }
  }
  return steps;
}

}  // namespace

void mark_steps(std::vector<change_row>& rows, double margin) {
  const auto steps = steps_of(rows);
  std::vector<double> probabilities;
  for (const auto& each : steps) probabilities.push_back(each.log_change.p());
  const auto corrected = holm_corrected(probabilities);
  for (std::size_t i = 0; i < steps.size(); ++i)
    steps[i].to->stepped =
        corrected[i] < significance && std::abs(std::expm1(steps[i].log_change.value)) > margin;
}

}  // namespace bench
