// headlines: the sentences that lead a report, the one of the first comparison first.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <string>
#include <vector>

namespace bench {

// One for each comparison, on the scenario that leads it; of a void run only that it is.
std::vector<std::string> headlines_of(const results& found);

}  // namespace bench
