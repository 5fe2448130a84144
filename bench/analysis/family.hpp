// family: the verdicts of one run, which hold together.
//
// With many rows, some interval excludes the truth by chance. So that a run in which nothing
// differs says so in 19 of 20 cases, Holm's correction over all rows decides where a difference is
// named. tests/bench/analysis/family_test.cpp simulates it.
#pragma once

#include <bench/analysis/analysis.hpp>

namespace bench {

// Sets found.autocorrelation, and widens by it the interval of each ratio of CPU per message. Then
// gives its verdict to each row that can be judged. A row whose difference is known beforehand, by
// injected cost, is judged by itself.
void judge_together(results& found);

}  // namespace bench
