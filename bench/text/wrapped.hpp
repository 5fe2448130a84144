// wrapped: breaks a paragraph into lines; the lines after the first are indented.
#pragma once

#include <string>
#include <string_view>

namespace bench {

// The number of UTF-8 characters.
int columns_of(std::string_view text);

// Breaks `text` at blanks into lines of at most `width` UTF-8 characters. A longer word is not
// broken. The result ends in a newline.
std::string wrapped(std::string_view text, int width, int indent);

// Pads `name` to `width`. A longer name stands on a line of its own, and the next line is padded to
// `left` + `width`.
std::string name_cell(const std::string& name, std::size_t width, std::size_t left);

}  // namespace bench
