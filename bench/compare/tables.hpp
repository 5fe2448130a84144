// tables: the tables of a comparison, for all its forms.
#pragma once

#include <bench/compare/compare.hpp>
#include <bench/report/table.hpp>
#include <vector>

namespace bench {

// change_table(): ratios to the anchor, for each run; the terminal shows the mean of the earlier
// runs and the last. measured_table(): the values of the servers. Both have no rows if no run has
// such values in common.
table change_table(const run_comparison& change, quantity what);
table measured_table(const run_comparison& change, quantity what);

// One row per quantity and server: the mean over its loads.
table mean_table(const run_comparison& change);

// The quantities that the comparison has rows of.
std::vector<quantity> quantities_of(const run_comparison& change);

}  // namespace bench
