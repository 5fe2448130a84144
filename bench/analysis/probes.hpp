// probes: what was measured beside the blocks: memory per connection and system calls per message.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <vector>

namespace bench {

std::vector<memory_row> memory_of(const run_record& record);
std::vector<kernel_row> kernel_of(const run_record& record);

}  // namespace bench
