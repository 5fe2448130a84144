// caveats: the caveats that need a look at the whole run.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <vector>

namespace bench {

// A caveat is due if other processes took more than this share of the servers' CPU in the median
// block.
inline constexpr double noisy_share = 0.05;

// The recorded caveats, followed by those found here of every kind that was not recorded.
std::vector<caveat> all_caveats(const run_record& record, const results& found);

}  // namespace bench
