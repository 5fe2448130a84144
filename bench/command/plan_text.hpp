// plan_text: a plan as text, for the user to read before a run begins.
#pragma once

#include <bench/measure/plan.hpp>
#include <string>

namespace bench {

// One line: "quick suite   3 rows x 7 rounds   about 0:27   Ctrl-C keeps what is done".
std::string title_of(const run_plan& plan);

// The rows, the servers and what was left out, one per line.
std::string contents_of(const run_plan& plan);

}  // namespace bench
