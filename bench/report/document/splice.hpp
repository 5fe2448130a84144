// splice: fills the marked places of a Markdown document and leaves the rest as it is.
//
//     <!-- from docs/runs/default: summary -->
//     | load | ... the text generated last time, which splice() replaces
//     <!-- end -->
//
//     auto filled = splice(text, places_in(text, "README.md"), [&](const place& each) { ... });
//
// A marker is an HTML comment at the start of a line; a rendered document does not show it. Markers
// in fenced code blocks are ignored, so that a document can explain them.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct place {
  int line = 0;           // of the marker, counted from 1
  std::string marker{};   // the marker's whole line
  std::string run{};      // such as docs/runs/default
  std::string wanted{};   // such as summary
  std::size_t begin = 0;  // offsets in the document: the text between the markers
  std::size_t end = 0;
};

// The marked places of a document. Throws std::invalid_argument if a marker is malformed or has no
// end marker. what() is one line that begins with where_is().
std::vector<place> places_in(std::string_view document, std::string_view name);

// `name`, the line number and the marker, for messages.
std::string where_is(const place& marked, std::string_view name);

struct spliced {
  std::string text;
  std::vector<place> filled;
  std::vector<place> changed;  // those of `filled` whose text is different now
};

// Returns the new text of a place, in whole lines; nullopt: the place stays as it is.
using text_for = std::function<std::optional<std::string>(const place&)>;
spliced splice(std::string_view document, const std::vector<place>& places, const text_for& text);

}  // namespace bench
