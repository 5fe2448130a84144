// elements: escapes text for HTML and builds the elements of the page.
#pragma once

#include <bench/report/table.hpp>
#include <string>
#include <string_view>

namespace bench {

std::string escaped(std::string_view text);

// Like escaped(), but with non-breaking spaces in intervals such as [low, high] and before %.
std::string escaped_sentence(std::string_view text);

// <name attributes>content</name>; `content` is HTML.
std::string element(std::string_view name, std::string_view content,
                    std::string_view attributes = {});

// A section: a heading, a note on how to read it, and the content, which is HTML.
std::string section(std::string_view title, std::string_view note, std::string_view content);

// A place for the charts of `kind`, which the page's script fills, and below it the tables with the
// same numbers, unfolded until a chart is drawn.
std::string charted(std::string_view kind, std::string_view tables);

// A table as HTML. On a narrow page each cell is shown below the previous one with its heading
// before it, unless all columns are numbers, which fit. With more than six columns, cells show
// cell::brief.
std::string html_table(const table& shown);

}  // namespace bench
