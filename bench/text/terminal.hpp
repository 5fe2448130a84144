// terminal: what the reader of an output stream can display.
//
//     print_summary(stdout, record, style_of(stdout));
//
// Colour and cursor movement are used only on a terminal, and not if NO_COLOR is set. Characters
// beyond ASCII are used only if the locale is UTF-8.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace bench {

// What the terminal can display. The defaults suit a pipe.
struct style {
  int width = 80;
  int height = 24;
  bool colour = false;
  bool unicode = false;
};

bool is_terminal(std::FILE* stream);
style style_of(std::FILE* stream);

// A bar of `width` columns of which `share` (0..1) is filled: "█████▏    " in eighths of a column;
// ASCII: "#####     ".
std::string bar_text(double share, int width, bool unicode);

// Writes what is buffered. Throws std::system_error if that fails, as fmt::print does.
void flush(std::FILE* stream);

// Prints a message that matters only while a command runs. Ignores write errors, for example where
// the reader has gone; fmt::print would throw.
template <class... Values>
void tell(std::FILE* stream, fmt::format_string<Values...> text, Values&&... values) {
  const auto line = fmt::format(text, std::forward<Values>(values)...);
  std::fwrite(line.data(), 1, line.size(), stream);
}

}  // namespace bench
