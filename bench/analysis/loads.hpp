// loads: throughput and latency of servers loaded alone, in closed and in open loops.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/analysis/block_values.hpp>
#include <bench/record/record.hpp>

namespace bench {

// True if the 99th percentile can be compared: from 20 blocks on, where the noise is of grade A or
// B.
bool has_calm_tail(const blocks_view& blocks, const std::optional<noise>& measured);

// The row from the exclusive blocks of the group. `measured`: the noise of servers loaded alone.
load_row load_row_of(const block_group& group, const std::optional<noise>& measured);

// The row from the open-loop blocks of the group.
open_row open_row_of(const block_group& group, const std::optional<noise>& measured);

// Marks servers as client-limited that reach 90 % of the client's ceiling: the throughput of a bare
// loop that was itself client-limited in that scenario.
void limit_by_floor(results& found);

// Removes ratios of throughput and latency that say nothing about the servers: where the client
// limits a side, where a side is saturated by an open loop, where the client shares the only CPU
// that the run was allowed (the machine may have more), and in a run that a wrong reply made void.
void withdraw_ratios(results& found, const run_record& record);

}  // namespace bench
