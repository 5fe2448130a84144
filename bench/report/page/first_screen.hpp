// first_screen: the answer of the run, its chart, and in short whether to believe it.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <string>

namespace bench {

std::string first_screen(const run_header& header, const results& found, bool has_charts);

}  // namespace bench
