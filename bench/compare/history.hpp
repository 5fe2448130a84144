// history: the ratio of each server to its anchor from run to run, and where it changed.
//
//     for (const auto& row : history_of({&oldest, &older, &newest}))
//       row.points[1]->changed;     // since the previous run that has this row
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/compare/anchored.hpp>
#include <optional>
#include <vector>

namespace bench {

struct history_point {
  double ratio = 1;  // CPU per message, server / anchor
  // Significant after Holm's correction over all rows and runs, and larger than the margins of both
  // runs.
  bool changed = false;
};

struct history_row {
  subject about;
  std::vector<std::optional<history_point>> points;  // one per run; absent: not measured
};

std::vector<history_row> history_of(const std::vector<const results*>& runs);

}  // namespace bench
