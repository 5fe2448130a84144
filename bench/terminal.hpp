// terminal: what the other end of an output can show.
//
//     print_summary(stdout, record, style_of(stdout));
//
// Colour and cursor movement only on a terminal, and not where NO_COLOR is set; other characters
// than ASCII only where the locale is UTF-8.
#pragma once

#include <bench/report.hpp>
#include <cstdio>

namespace bench {

bool is_terminal(std::FILE* stream);
style style_of(std::FILE* stream);

}  // namespace bench
