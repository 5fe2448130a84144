#include <bench/report/document/splice.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace bench {
namespace {

constexpr std::string_view marker_start = "<!-- from ";
constexpr std::string_view marker_end = " -->";
constexpr std::string_view end_marker = "<!-- end -->";

bool is_fence(std::string_view line) {
  return line.starts_with("```") || line.starts_with("~~~");
}

[[noreturn]] void refuse(const place& marked, std::string_view name, std::string_view why) {
  throw std::invalid_argument{fmt::format("{}: {}", where_is(marked, name), why)};
}

class place_finder {
 public:
  place_finder(std::string_view document, std::string_view name)
      : document_{document}, name_{name} {}

  std::vector<place> find() {
    while (next_ < document_.size()) take_line();
    if (open_) refuse_without_end();
    return std::move(found_);
  }

 private:
  void take_line() {
    const auto start = next_;
    const auto newline = document_.find('\n', start);
    next_ = newline == std::string_view::npos ? document_.size() : newline + 1;
    ++line_;
    auto text = document_.substr(start, next_ - start);
    text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
    if (!open_ && is_fence(text)) fenced_ = !fenced_;
    if (fenced_) return;
    if (text.starts_with(marker_start)) begin_place(text);
    if (text == end_marker) end_place(start);
  }

  void begin_place(std::string_view text) {
    if (open_) refuse_without_end();
    open_ = place{.line = line_, .marker = std::string{text}, .begin = next_};
    const bool whole =
        text.ends_with(marker_end) && text.size() > marker_start.size() + marker_end.size();
    const auto inside = whole ? text.substr(marker_start.size(),
                                            text.size() - marker_start.size() - marker_end.size())
                              : "";
    const auto colon = inside.find(": ");
    if (colon == std::string_view::npos || colon == 0)
      refuse(*open_, name_, "is no marker, which is <!-- from RUN: WHAT -->");
    open_->run = inside.substr(0, colon);
    open_->wanted = inside.substr(colon + 2);
  }

  void end_place(std::size_t start) {
    if (!open_) refuse({.line = line_, .marker = std::string{end_marker}}, name_, "ends no marker");
    open_->end = start;
    found_.push_back(std::move(*open_));
    open_.reset();
  }

  [[noreturn]] void refuse_without_end() const {
    refuse(*open_, name_, fmt::format("has no {}", end_marker));
  }

  std::string_view document_;
  std::string_view name_;
  std::size_t next_ = 0;
  int line_ = 0;
  bool fenced_ = false;
  std::optional<place> open_;
  std::vector<place> found_;
};

}  // namespace

std::vector<place> places_in(std::string_view document, std::string_view name) {
  return place_finder{document, name}.find();
}

std::string where_is(const place& marked, std::string_view name) {
  return fmt::format("{}:{}: {}", name, marked.line, marked.marker);
}

spliced splice(std::string_view document, const std::vector<place>& places, const text_for& text) {
  spliced result;
  std::size_t copied = 0;
  for (const auto& each : places) {
    const auto wanted = text(each);
    if (!wanted) continue;
    result.filled.push_back(each);
    if (document.substr(each.begin, each.end - each.begin) != *wanted)
      result.changed.push_back(each);
    result.text += document.substr(copied, each.begin - copied);
    result.text += *wanted;
    copied = each.end;
  }
  result.text += document.substr(copied);
  return result;
}

}  // namespace bench
