// history: the runs in which a ratio stepped to another level.
//
//     mark_steps(change.rows, margin);
//     change.rows[0].points[2]->stepped;     // since the run before that has this row
#pragma once

#include <bench/compare/compare.hpp>
#include <vector>

namespace bench {

// Marks each step of CPU per message that is larger than `margin`, and larger than prior_spread()
// and the blocks explain, at 5 % for all steps of all rows (Holm). The prior is taken whatever the
// runs say, since a history may hold real steps, which would pass for noise.
void mark_steps(std::vector<change_row>& rows, double margin);

}  // namespace bench
