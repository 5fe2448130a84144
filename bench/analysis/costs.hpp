// costs: what servers cost per message, from the blocks that decide it, and how sure that is.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/analysis/block_values.hpp>
#include <bench/record/record.hpp>
#include <vector>

namespace bench {

// The blocks in which a server was measured against itself.
std::vector<control_row> controls_of(const std::vector<block_group>& groups);

// Noise and margins, from the controls that were found. Each kind of block has its own; where only
// one has a control, that stands for both.
void find_noise(results& found);

// Judged by the margins that were found; "n/a" with the reason where nothing can be judged.
cost_row cost_row_of(const block_group& group, const results& found, const run_record& record);

}  // namespace bench
