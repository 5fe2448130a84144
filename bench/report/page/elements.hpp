// elements: escapes text for HTML and builds the elements of the page.
#pragma once

#include <bench/report/table.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

std::string escaped(std::string_view text);

// Like escaped(), but with non-breaking spaces in intervals such as [low, high] and before %.
std::string escaped_sentence(std::string_view text);

// <name attributes>content</name>; `content` is HTML.
std::string element(std::string_view name, std::string_view content,
                    std::string_view attributes = {});

// A section of the page and its line in the contents.
struct part {
  std::string id;  // for links: #id
  std::string title;
  std::string html;
};

// A heading, a note on how to read what follows, and the content, which is HTML. Of a folded part
// the page's script leaves heading and note until a reader opens it.
part open_part(std::string_view id, std::string_view title, std::string_view note,
               std::string_view content);
part folded_part(std::string_view id, std::string_view title, std::string_view note,
                 std::string_view content);

// What a reader unfolds by its summary. It stands open until the page's script folds it.
std::string folded(std::string_view summary, std::string_view content);

// A place for the charts of `kind`, which the page's script fills, and below it the tables with the
// same numbers, unfolded until a chart is drawn.
std::string charted(std::string_view kind, std::string_view tables);

// How a row names its load: c64/512, or with the words before it.
enum class load_names { brief, in_words };

// A table as HTML. On a narrow page each cell is shown below the previous one with its heading
// before it, unless all columns are numbers, which fit. With more than six columns, numbers
// show cell::brief.
//
// With a place, each row has an id, to which a link can lead: with the place "memory", the row of
// fibers/epoll is #row-memory-fibers-epoll.
std::string html_table(const table& shown, std::string_view place = {},
                       load_names names = load_names::brief);

}  // namespace bench
