// terminal: what the other end of an output can show.
//
//     print_summary(stdout, record, style_of(stdout));
//
// Colour and cursor movement only on a terminal, and not where NO_COLOR is set; other characters
// than ASCII only where the locale is UTF-8.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace bench {

// What the terminal at the other end can show. The defaults are right for a pipe.
struct style {
  int width = 80;
  int height = 24;
  bool colour = false;
  bool unicode = false;
};

bool is_terminal(std::FILE* stream);
style style_of(std::FILE* stream);

// Prints what is of use while a command works, and of none to whoever has left: that is no error,
// as it is to fmt::print.
template <class... Values>
void tell(std::FILE* stream, fmt::format_string<Values...> text, Values&&... values) {
  const auto line = fmt::format(text, std::forward<Values>(values)...);
  std::fwrite(line.data(), 1, line.size(), stream);
}

}  // namespace bench
