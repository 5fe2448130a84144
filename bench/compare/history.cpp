#include <algorithm>
#include <bench/compare/history.hpp>
#include <cmath>

namespace bench {
namespace {

// The change between two consecutive runs that have the row.
struct step {
  history_point* to;
  double change;
  double margin;
};

class history {
 public:
  explicit history(const std::vector<const results*>& runs) : runs_{runs} {
    for (const auto* each : runs) costs_.push_back(anchored_costs(*each));
  }

  std::vector<history_row> rows() {
    std::map<subject, history_row> all;
    for (const auto& costs : costs_)
      for (const auto& [about, values] : costs) all[about] = {about, {}};
    for (auto& [about, row] : all) fill(row);
    mark();
    std::vector<history_row> rows;
    for (auto& [about, row] : all) rows.push_back(std::move(row));
    return rows;
  }

 private:
  void fill(history_row& row) {
    row.points.resize(costs_.size());
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < costs_.size(); ++i) {
      const auto found = costs_[i].find(row.about);
      if (found == costs_[i].end() || found->second.log_ratios.empty()) continue;
      row.points[i] = history_point{found->second.ratio()};
      if (last) add_step(row, *last, i);
      last = i;
    }
  }

  void add_step(history_row& row, std::size_t from, std::size_t to) {
    const auto difference =
        welch(costs_[from].at(row.about).log_ratios, costs_[to].at(row.about).log_ratios);
    if (!difference) return;
    steps_.push_back({&*row.points[to], std::expm1(difference->difference),
                      std::max(runs_[from]->margin, runs_[to]->margin)});
    probabilities_.push_back(difference->p);
  }

  void mark() {
    const auto corrected = holm_corrected(probabilities_);
    for (std::size_t i = 0; i < steps_.size(); ++i)
      steps_[i].to->changed =
          corrected[i] < significance && std::abs(steps_[i].change) > steps_[i].margin;
  }

  const std::vector<const results*>& runs_;
  std::vector<std::map<subject, anchored>> costs_;
  std::vector<step> steps_;
  std::vector<double> probabilities_;
};

}  // namespace

std::vector<history_row> history_of(const std::vector<const results*>& runs) {
  return history{runs}.rows();
}

}  // namespace bench
