// sections: the parts of the page with measurements. Each is a heading, a place for charts, and
// tables with the same numbers. What the run did not measure has no part. Notes that explain marks
// and lines appear only if there are charts.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/report/page/elements.hpp>
#include <vector>

namespace bench {

// All servers side by side. Empty: the run has no such table.
part servers(const results& found);

std::vector<part> measurements(const results& found, bool has_charts);

}  // namespace bench
