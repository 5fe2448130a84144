// family: the verdicts of one run, which hold together.
//
// With many rows, some interval excludes the truth by chance. So that a run in which nothing
// differs says so in 19 of 20 cases, a correction over all rows decides where a difference is
// named. tests/bench/analysis/family_test.cpp simulates it.
//
// CPU per message is the metric named in advance: its rows share the significance equally, and so
// do the points of rate_curves. A row whose difference is named passes half of its share to the
// throughput under the same load, and half to the other rows of CPU. What follows is latency in the
// closed loop, and then latency in open loops of the same connections and messages. Each gets a
// tenth from what is before it, and passes the rest to the rows of CPU: so a latency is named where
// most of these are named, too. What has nothing before it has a share like a row of CPU.
//
// The answer for all loads together is a difference only where a row of the same pair and metric is
// one: then of runs in which nothing differs at most one in twenty says so. A run that ends when it
// is sure asks for that answer first: half of the significance is for it, shared by the pairs, and
// the rows have the other half.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/analysis/block_values.hpp>
#include <vector>

namespace bench {

// Sets found.autocorrelation and found.overall, and widens by it the interval of each ratio. Then
// gives its verdict to each row of found.costs, found.loads and found.open_loops that can be
// judged. A row whose difference is known beforehand, by injected cost, is judged by itself.
// Precondition: what cannot be judged has the verdict "unmeasured".
void judge_together(results& found, const std::vector<block_group>& groups, looks looked);

}  // namespace bench
