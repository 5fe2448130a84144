// headlines: the sentences that lead a report, beginning with that of the first comparison.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <string>
#include <vector>

namespace bench {

// One sentence per comparison, about its leading scenario. A void run has only the sentence that
// says so.
std::vector<std::string> headlines_of(const results& found);

// "1,000 ns that a control burnt on c64/512 read as 1,180 [1,020, 1,350]"
std::string calibration_text(const calibration& of);

}  // namespace bench
