// between_runs: how far to believe that one more run differs from earlier ones.
//
//     const between_runs model{rows, prior};
//     model.change(rows[0]).range();    // of one row
//     model.mean_change({&rows[0], &rows[1]}).p_at_most(0.03);
//
// Two runs of one program differ by more than the blocks within them say, since the blocks of a run
// share a boot, a layout of memory, an hour of the day. From three earlier runs on, what moves from
// run to run is estimated: by its variance over them, pooled over all rows. Below three it is a
// stated prior, beside which the blocks' own error counts too. Nothing tells then whether the rows
// of a run move together. So a mean is called different, and a gate fails, only where that holds
// although they do.
//
// Rows of a run may also move together. An analysis of variance over the earlier runs looks for
// that (rows and runs are its factors, F with a level of 1 %), and where it finds it, that part
// does not become smaller by averaging over rows.
#pragma once

#include <bench/statistics/statistics.hpp>
#include <limits>
#include <span>
#include <vector>

namespace bench {

// One ratio, as its logarithm.
struct row_in_runs {
  std::vector<double> before;  // in each earlier run that has it; at least one
  double after = 0;
  double block_error = 0;  // standard error of one run's value, as its blocks tell
  double block_freedom = std::numeric_limits<double>::infinity();  // of that error
};

// The standard deviation of a row from run to run.
struct run_spread {
  double own = 0;     // of each row by itself
  double common = 0;  // of all rows together; 0: nothing shows that they move together
  double freedom = 0;
  bool is_prior = false;
};

class between_runs {
 public:
  // `prior` is the standard deviation that is assumed where it cannot be estimated. A row moves by
  // at least `least`, and as much as its blocks say.
  between_runs(std::span<const row_in_runs> rows, double prior, double least = 0);

  const run_spread& spread() const { return spread_; }

  // ln(after / before), where before is the mean of the earlier runs.
  t_estimate change(const row_in_runs& row) const;

  // The same as a mean over rows, of which there must be one at least. A prior holds for each row
  // by itself, or for all of them `together`.
  enum class prior_of { each_row, all_together };
  t_estimate mean_change(const std::vector<const row_in_runs*>& rows,
                         prior_of what = prior_of::all_together) const;

 private:
  run_spread spread_;
  double least_;
};

}  // namespace bench
