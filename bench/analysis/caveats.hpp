// caveats: those that only show once the run is looked at as a whole.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <vector>

namespace bench {

// Others took more of the servers' processor than that in the median block: a caveat.
inline constexpr double noisy_share = 0.05;

// What the run recorded, and after it what is found here of the kinds it did not record.
std::vector<caveat> all_caveats(const run_record& record, const results& found);

}  // namespace bench
