// compare history: one server's ratio to its anchor from run to run, and where it changed.
//
//     for (const auto& row : history_of({&oldest, &older, &newest}))
//       row.points[1]->changed;     // since the run before that has this row, by more than margin
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/compare/anchored.hpp>
#include <optional>
#include <vector>

namespace bench {

struct history_point {
  double ratio = 1;      // CPU per message, server / anchor
  bool changed = false;  // proven, corrected for all rows and runs, and beyond both margins
};

struct history_row {
  subject about;
  std::vector<std::optional<history_point>> points;  // one a run; absent: not measured there
};

std::vector<history_row> history_of(const std::vector<const results*>& runs);

}  // namespace bench
