// wrapped: breaks a paragraph into lines; the lines after the first are indented.
#pragma once

#include <string>
#include <string_view>

namespace bench {

// The number of UTF-8 characters.
int columns_of(std::string_view text);

// Breaks `text` at blanks into lines of at most `width` UTF-8 characters. A longer word is not
// broken. The first line begins in the column `begins_at`, where something stands before it. The
// result ends in a newline.
std::string wrapped(std::string_view text, int width, int indent, int begins_at = 0);

// Wraps each line of `text`, except those that begin with a blank, as those of tables do.
std::string paragraphs(std::string_view text, int width);

// Puts a blank after each `longest` characters of a longer word, so that wrapped() can break it.
std::string in_pieces(std::string_view text, int longest);

// Pads `name` to `width`. A longer name stands on a line of its own, and the next line is padded to
// `left` + `width`.
std::string name_cell(const std::string& name, std::size_t width, std::size_t left);

}  // namespace bench
