// plan text: a plan as its reader sees it before it begins.
#pragma once

#include <bench/measure/plan.hpp>
#include <string>

namespace bench {

// "quick suite   3 rows x 7 rounds   about 0:27   Ctrl-C keeps what is done": one line.
std::string title_of(const run_plan& plan);

// Its rows, its servers and what was left out, a line each.
std::string contents_of(const run_plan& plan);

}  // namespace bench
