// sections: the parts of the page that hold measurements: a heading, a place for charts, and the
// same numbers in tables. What the run did not measure has none, and what is said of marks and
// lines is said only where there are charts.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <string>

namespace bench {

std::string measurements(const results& found, bool has_charts);

}  // namespace bench
