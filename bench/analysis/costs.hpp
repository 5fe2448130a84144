// costs: CPU per message of the servers, from the blocks that decide it, with its interval.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/analysis/block_values.hpp>
#include <bench/record/record.hpp>
#include <vector>

namespace bench {

// ln(contender / base) of each block.
std::vector<double> log_ratios_of(const std::vector<block_cost>& blocks);

// The A/A controls: blocks in which a server was compared with itself.
std::vector<control_row> controls_of(const std::vector<block_group>& groups);

// Sets noise and margins from found.controls. Each kind of block has its own; if only one kind has
// a control, it stands for both.
void find_noise(results& found);

// The row of a group. Its verdict is "n/a" with the reason if nothing can be judged; all others are
// for judge_together().
cost_row cost_row_of(const block_group& group, const run_record& record);

// From the row whose servers differ only in what the name of one asks it to burn; of several, from
// that of the headline's scenario, or else from the first.
std::optional<calibration> calibration_of(const std::vector<cost_row>& costs);

}  // namespace bench
