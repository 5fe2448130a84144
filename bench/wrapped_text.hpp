// wrapped_text: a paragraph on lines of at most so many columns, those after the first indented.
#pragma once

#include <string>
#include <string_view>

namespace bench {

// Counts characters of UTF-8, not bytes. A word longer than a line stays whole. Ends in a newline.
std::string wrapped(std::string_view text, int width, int indent);

}  // namespace bench
