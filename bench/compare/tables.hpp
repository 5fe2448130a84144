// tables: the tables of a comparison, for the terminal and for Markdown.
#pragma once

#include <bench/compare/compare.hpp>
#include <bench/report/table.hpp>

namespace bench {

// change_table(): ratios to the anchor, for every run if there is a history, otherwise for both;
// the terminal shows the first and the last. raw_table(): CPU ns per message as measured.
table change_table(const run_comparison& change);
table raw_table(const run_comparison& change);

}  // namespace bench
