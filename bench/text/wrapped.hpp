// wrapped: a paragraph on lines of at most so many columns, those after the first indented.
#pragma once

#include <string>
#include <string_view>

namespace bench {

// Characters of UTF-8.
int columns_of(std::string_view text);

// Counts characters of UTF-8, not bytes. A word longer than a line stays whole. Ends in a newline.
std::string wrapped(std::string_view text, int width, int indent);

// A name in a column that begins at `left`. A long one stands on a line of its own.
std::string name_cell(const std::string& name, std::size_t width, std::size_t left);

}  // namespace bench
