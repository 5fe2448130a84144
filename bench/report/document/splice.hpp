// splice: fills the marked places of a Markdown document and leaves the rest as it is.
//
//     <!-- from docs/runs/default: summary -->
//     | load | ... what was generated last time stands here, and is replaced
//     <!-- end -->
//
//     auto filled = splice(text, places_in(text, "README.md"), [&](const place& each) { ... });
//
// A marker is an HTML comment, which readers of the document do not see. It starts its line. In a
// fenced block of code it is no marker, so that a document can show one.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct place {
  int line = 0;           // of the marker, from 1
  std::string marker{};   // that whole line
  std::string run{};      // docs/runs/default
  std::string wanted{};   // summary
  std::size_t begin = 0;  // in the document, of what stands between the marker and its end
  std::size_t end = 0;
};

// Throws std::invalid_argument where a marker is malformed or has no end. Its text is one line that
// starts with `name`, the line's number and the marker.
std::vector<place> places_in(std::string_view document, std::string_view name);

// The beginning of such a text.
std::string where_is(const place& marked, std::string_view name);

struct spliced {
  std::string text;
  std::vector<place> filled;
  std::vector<place> changed;  // those of them that held something else
};

// A place for which there is no text stays as it is. A text consists of whole lines.
using text_for = std::function<std::optional<std::string>(const place&)>;
spliced splice(std::string_view document, const std::vector<place>& places, const text_for& text);

}  // namespace bench
