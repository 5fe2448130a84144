// sections: the parts of the HTML page that hold measurements: a heading, a place for
// charts, and the same numbers in tables. Empty text: the run has nothing of the kind. What is said
// of marks and lines is said only where there are charts.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <string>

namespace bench {

std::string cost_section(const results& found);
std::string throughput_section(const results& found, bool has_charts);
std::string latency_section(const results& found, bool has_charts);
std::string open_loop_section(const results& found, bool has_charts);
std::string memory_section(const results& found);
std::string kernel_section(const results& found);
std::string blocks_section(const results& found, bool has_charts);

}  // namespace bench
