// loads: what servers do under load, each alone: throughput and latency, closed loop and open.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/analysis/block_values.hpp>
#include <bench/record/record.hpp>

namespace bench {

// From the exclusive blocks of the group.
load_row load_row_of(const block_group& group);

// From its open-loop blocks.
open_row open_row_of(const block_group& group);

// The bare loop shows what the client can ask for where it waits for the client itself.
void limit_by_floor(results& found);

// A ratio in which the client has a part, because a side waits for it or shares its processor, says
// nothing of the servers; nor does one of replies of which one was wrong. The machine may have more
// processors than this run was allowed.
void withdraw_ratios(results& found, const run_record& record);

}  // namespace bench
