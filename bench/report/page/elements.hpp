// elements: text that is safe between tags and in attributes, and what the page is made of.
#pragma once

#include <bench/report/table.hpp>
#include <string>
#include <string_view>

namespace bench {

std::string escaped(std::string_view text);

// The same, and neither a [low, high] nor a 5 % is broken over two lines.
std::string escaped_sentence(std::string_view text);

// <name attributes>content</name>; content is HTML already.
std::string element(std::string_view name, std::string_view content,
                    std::string_view attributes = {});

// A heading, a sentence on what is shown and how to read it, and the content, which is HTML
// already.
std::string section(std::string_view title, std::string_view note, std::string_view content);

// A place for the charts of that kind, which the page's script fills, and the tables that hold the
// same numbers; they are unfolded until there is something drawn above them.
std::string charted(std::string_view kind, std::string_view tables);

// Where the page is too narrow for columns the headings stand before their cells, unless there are
// only numbers, for which every page has room. Of many columns all but the briefest is left out.
std::string html_table(const table& shown);

}  // namespace bench
