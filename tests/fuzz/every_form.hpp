// every_form: writes a run in each form of report, and looks into each for what must not be there.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/compare/compare.hpp>
#include <bench/record/record.hpp>

namespace fuzz {

// Every form is valid UTF-8 and free of control characters. The page is well formed and has no
// script but ours, Markdown has no HTML but ours, every line of the CSV form has its eleven cells,
// and JSON is JSON.
void expect_forms(const bench::run_header& header, const bench::results& found);

void expect_forms(const bench::run_comparison& change);

}  // namespace fuzz
