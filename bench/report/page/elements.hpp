// elements: text that is safe between tags and in attributes, and the tables of the page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

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

// A column; its heading stands before each cell where the page is too narrow for columns.
struct column {
  std::string heading;
  std::string style = {};  // class of its cells: "", "number", "word"
};

// `rows` are HTML already, one cell a column.
std::string html_table(const std::vector<column>& columns,
                       const std::vector<std::vector<std::string>>& rows, std::string_view caption);

// Numbers only, so narrow that every page has room for its columns, and few bytes a row.
std::string number_table(const std::vector<std::string>& columns,
                         const std::vector<std::vector<std::string>>& rows,
                         std::string_view caption);

}  // namespace bench
