// tables: the tables of a run, defined once for all forms.
//
//     for (const auto& pair : pairs_of(found)) text += markdown_table(verdict_table(found, pair));
//
// A table of something that the run did not measure has no rows; forms skip it.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <bench/report/table.hpp>
#include <string>
#include <utility>
#include <vector>

namespace bench {

// Of two servers: the ratio of CPU per message with its verdict; the overhead of each over the bare
// loop; and CPU per message split into floor and library.
table verdict_table(const results& found, const comparison& pair);
table overhead_table(const results& found, const comparison& pair);
table cost_table(const results& found, const comparison& pair);

// For readers new to the instrument: at most nine loads, of the first pair of servers and then of
// others of the same two libraries.
table summary_table(const results& found);

// All servers side by side. Without such rows it is empty. Where a cell has no number, its text
// says why, and its brief text is "n/a".
table matrix_table(const results& found);

// Each server loaded alone, and of two the ratio of their throughput and of their latency, each
// with its verdict.
table throughput_table(const results& found);
table throughput_ratio_table(const results& found, const comparison& pair);
table latency_ratio_table(const results& found, const comparison& pair);
table latency_table(const results& found);
table open_loop_table(const results& found);

table memory_table(const results& found);
table kernel_table(const std::vector<kernel_row>& rows);

// block_table(): every block of one row. control_table(): every block of the A/A control.
table block_table(const cost_row& row);
table control_table(const control_row& row);

// The contender and the base in a heading: "fibers" and "Asio" if fibers is compared with Asio's
// callbacks on the same reactor; otherwise the full names.
std::pair<std::string, std::string> short_names(const comparison& pair);

// The command that started each server, and what it announced.
table server_table(const run_header& header);

}  // namespace bench
