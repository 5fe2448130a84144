// every_form: the report of a run in each of its forms, as text.
//
//     for (const auto& form : every_form(record)) BOOST_TEST(contains(form, "conflict"));
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/page/script.hpp>

#include <array>
#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <tests/texts.hpp>

// Undoes the line breaks of the terminal form, which indents continued lines.
inline std::string unwrapped(std::string text) {
  for (auto at = text.find("\n  "); at != std::string::npos; at = text.find("\n  "))
    text.replace(at, 3, " ");
  return text;
}

inline std::string page_of(const bench::run_record& record, const bench::page_script& script) {
  return bench::html_report(record.header, bench::analyse(record), script);
}

// A script that draws nothing, and no script. Neither depends on how the test was built.
inline constexpr std::array<std::string_view, 1> some_script{"0;"};
inline constexpr bench::page_script with_charts{some_script, "sha256-0", some_script};
inline constexpr bench::page_script without_charts{{}, {}, {}, "nobody could draw them"};

// In this order: JSON, CSV, Markdown, the page without charts, the terminal.
inline std::vector<std::string> every_form(const bench::run_record& record) {
  const auto found = bench::analyse(record);
  return {bench::json_report(record.header, found), bench::csv_report(record.header, found),
          bench::markdown_report(record.header, found), page_of(record, without_charts),
          bench::terminal_report(record.header, found, {})};
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The number of cells in a line of the CSV form.
inline int csv_cells(const std::string& line) {
  int cells = 1;
  bool quoted = false;
  for (const char each : line) {
    if (each == '"')
      quoted = !quoted;
    else if (each == ',' && !quoted)
      ++cells;
  }
  return cells;
}

// The page without its script elements.
inline std::string without_scripts(std::string html) {
  for (auto at = html.find("<script"); at != std::string::npos; at = html.find("<script", at)) {
    const auto end = html.find("</script>", at);
    BOOST_REQUIRE(end != std::string::npos);
    html.erase(at, end + std::string{"</script>"}.size() - at);
  }
  return html;
}

// The first closing tag that does not match the last open element, or else an element that stays
// open. Empty: the page is well formed.
inline std::string first_unbalanced(const std::string& html) {
  std::vector<std::string> open;
  for (auto at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const auto end = html.find('>', at);
    const auto tag = html.substr(at + 1, end - at - 1);
    const auto name = tag.substr(0, tag.find_first_of(" \n"));
    if (name == "!doctype" || name == "meta" || name == "br" || tag.back() == '/') continue;
    if (name.front() != '/') {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name.substr(1)) return tag;
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}
