#include <tests/fuzz/every_form.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/report/forms.hpp>
#include <bench/report/json.hpp>
#include <bench/report/page/script.hpp>
#include <boost/json.hpp>
#include <sstream>
#include <string>
#include <tests/fuzz/expect.hpp>
#include <vector>

namespace fuzz {
namespace {

constexpr std::array<std::string_view, 1> some_script{"0;"};
constexpr bench::page_script with_charts{some_script, "sha256-0", some_script};
constexpr bench::page_script without_charts{{}, {}, {}, "nobody could draw them"};

int count_of(std::string_view part, std::string_view text) {
  int count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// The first tag that closes another element than the last that is open, or the name of one that
// stays open. Empty: there is none.
std::string first_unbalanced(std::string_view html) {
  std::vector<std::string_view> open;
  for (auto at = html.find('<'); at != html.npos; at = html.find('<', at + 1)) {
    const auto end = html.find('>', at);
    if (end == html.npos) return std::string{html.substr(at, 40)};
    const auto tag = html.substr(at + 1, end - at - 1);
    const auto name = tag.substr(0, tag.find_first_of(" \n"));
    if (name == "!doctype" || name == "meta" || name == "br" || tag.ends_with('/')) continue;
    if (!name.starts_with('/')) {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name.substr(1)) return std::string{tag};
      open.pop_back();
    }
  }
  return open.empty() ? "" : std::string{open.back()};
}

void expect_page(const std::string& html, int scripts) {
  expect_showable(html, "the page");
  expect(count_of("<script", html) == scripts, "the page has a script that is not ours");
  const auto wrong = first_unbalanced(html);
  expect(wrong.empty(), fmt::format("the page is not well formed at '{}'", wrong));
}

// What CommonMark does not show as code: a span of code ends with as many ` as it begins with.
std::string without_code(std::string_view markdown) {
  std::string text;
  while (!markdown.empty()) {
    if (markdown[0] != '`') {
      const auto length = std::min<std::size_t>(markdown[0] == '\\' ? 2 : 1, markdown.size());
      text += markdown.substr(0, length);
      markdown.remove_prefix(length);
      continue;
    }
    const auto fence = markdown.substr(0, markdown.find_first_not_of('`'));
    markdown.remove_prefix(fence.size());
    for (std::size_t at = 0; (at = markdown.find(fence, at)) != markdown.npos;) {
      const auto after = std::min(markdown.find_first_not_of('`', at), markdown.size());
      const bool ends = after - at == fence.size();
      at = after;
      if (!ends) continue;
      markdown.remove_prefix(after);
      break;
    }
  }
  return text;
}

void expect_markdown(const std::string& markdown) {
  expect_showable(markdown, "Markdown");
  expect(without_code(markdown).find('<') == std::string::npos, "Markdown has HTML");
}

int cells_of(const std::string& line) {
  int cells = 1;
  bool quoted = false;
  for (const char each : line) {
    if (each == '"') quoted = !quoted;
    if (each == ',' && !quoted) ++cells;
  }
  expect(!quoted, "a cell of the CSV form is not closed");
  return cells;
}

void expect_csv(const std::string& csv) {
  expect_showable(csv, "the CSV form");
  std::istringstream lines{csv};
  for (std::string line; std::getline(lines, line);)
    expect(cells_of(line) == 11, fmt::format("a line of the CSV form has other cells: {}", line));
}

void expect_json(const std::string& text) {
  expect_showable(text, "the JSON form");
  boost::json::error_code error;
  boost::json::parse(text, error);
  expect(!error, "the JSON form is no JSON");
}

}  // namespace

void expect_forms(const bench::run_header& header, const bench::results& found) {
  expect_json(bench::json_report(header, found));
  expect_json(bench::github_action_report(found));
  expect_csv(bench::csv_report(header, found));
  expect_markdown(bench::markdown_report(header, found));
  expect_page(bench::html_report(header, found, with_charts), 4);
  expect_page(bench::html_report(header, found, without_charts), 0);
  expect_showable(bench::terminal_report(header, found, {}), "the summary");
  expect_showable(bench::terminal_report(header, found, {.width = 200, .unicode = true}),
                  "the summary on a wide terminal");
  expect_showable(bench::terminal_summary(header, found, {}), "the brief summary");
}

void expect_forms(const bench::run_comparison& change) {
  expect_showable(bench::comparison_text(change, {}), "a comparison");
  expect_markdown(bench::comparison_markdown(change));
  expect_json(bench::comparison_json(change));
  expect_page(bench::comparison_page(change), 0);
}

}  // namespace fuzz
