// tables: what is shown of a run in rows and columns. Each table stands here once, for every form.
//
//     for (const auto& pair : pairs_of(found)) text += markdown_table(verdict_table(found, pair));
//
// Of what the run did not measure a table has no rows, and no form writes it.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <bench/report/table.hpp>
#include <vector>

namespace bench {

// Of two servers: the ratio of their costs and what it says; what each costs above the bare loop,
// side by side; and what of each cost is the kernel's and what the library's.
table verdict_table(const results& found, const comparison& pair);
table overhead_table(const results& found, const comparison& pair);
table cost_table(const results& found, const comparison& pair);

// One server loaded at a time.
table throughput_table(const results& found);
table latency_table(const results& found);
table open_loop_table(const results& found);

table memory_table(const results& found);
table kernel_table(const std::vector<kernel_row>& rows);

// Every block of one row, and of a server against itself.
table block_table(const cost_row& row);
table control_table(const control_row& row);

// How each server was started and what it said of itself.
table server_table(const run_header& header);

}  // namespace bench
