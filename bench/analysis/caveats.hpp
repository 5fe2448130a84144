// caveats: the caveats that need a look at the whole run.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <string>
#include <vector>

namespace bench {

// A caveat is due if other processes took more than this share of the servers' CPU in the median
// block.
inline constexpr double noisy_share = 0.05;

// Beyond this share nothing is judged: what the servers had left is not what they cost.
inline constexpr double ruinous_share = 0.25;

// "other programs took 41 % of the servers' processor" in the median block; empty: nobody took more
// than ruinous_share.
std::string ruin_in(const std::vector<block>& blocks);

// Why no row of this run may be judged, as in "n/a: the run is void"; empty: rows may.
std::string why_nothing_is_judged(const run_record& record);

// The caveat that says who took more than ruinous_share, as a sentence; empty: nobody did.
std::string ruin_of(const results& found);

// The recorded caveats, followed by those found here of every kind that was not recorded.
std::vector<caveat> all_caveats(const run_record& record, const results& found);

}  // namespace bench
