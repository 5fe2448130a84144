// matrix: all servers of a run side by side, each with what the run says of it.
//
//     found.matrix = matrix_of(found, record);
//     for (const auto& row : *found.matrix)
//       row.cpu_ratio.number;      // CPU per message / that of row.base
//
// The other results are about pairs. Here each server has one row, and each number is one that
// stands in a row of a pair, too: nothing is estimated anew.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <optional>
#include <vector>

namespace bench {

// The rows: bare loops, then the server with which all others were compared, the others in the
// order of the run, and at last those that were left out. `found` has its caveats and its verdicts.
//
// nullopt unless the run has three servers or more, without bare loops, of which one was compared
// with each of the others; a missing server that needs a package counts as compared. A server with
// injected cost is a control and has no row.
std::optional<std::vector<matrix_row>> matrix_of(const results& found, const run_record& record);

}  // namespace bench
