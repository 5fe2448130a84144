// rate_curve: finds the loads of a run that differ only in their rate, such as c64/512/r10%,
// c64/512/r50% and c64/512. Together they show what a message costs a server that is not busy.
//
//     found.rate_curves = rate_curves_of(found, groups, record);
//     found.rate_curves->front().points.front().cpu.ratio   // at the lowest rate
//
// All points are of one server loaded at a time. So that of the full load comes from the exclusive
// blocks, even where duet blocks decide its row of CPU.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/analysis/block_values.hpp>
#include <bench/record/record.hpp>
#include <string>
#include <vector>

namespace bench {

// The curves that have fewest_for_a_curve points or more. Their ratios of CPU have no verdict yet,
// or "unmeasured" if they cannot be judged. Precondition: found.loads and found.open_loops are
// complete.
std::vector<rate_curve> rate_curves_of(const results& found, const std::vector<block_group>& groups,
                                       const run_record& record);

// "10 %" of the full rate, "fixed" (so many messages per second), or "full".
std::string rate_words(const rate_point& point);

}  // namespace bench
