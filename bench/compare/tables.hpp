// compare tables: what is shown of two runs or more in rows and columns, for the terminal and for
// Markdown.
#pragma once

#include <bench/compare/compare.hpp>
#include <bench/report/table.hpp>

namespace bench {

// The ratios to the anchor, of every run where there is a history, else of the two; in brief of the
// first and the last. And the nanoseconds as they were measured.
table change_table(const run_comparison& change);
table raw_table(const run_comparison& change);

}  // namespace bench
