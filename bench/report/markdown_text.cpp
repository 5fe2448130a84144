#include <fmt/format.h>

#include <bench/report/markdown_text.hpp>

namespace bench {
namespace {

// Names come from command lines: a bar would end the cell.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char each : text) {
    if (each == '|') escaped += '\\';
    escaped += each;
  }
  return escaped;
}

}  // namespace

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const auto& each : cells) row += fmt::format(" {} |", cell(each));
  return row + "\n";
}

std::string markdown_head(const std::vector<std::string>& cells) {
  std::string rule = "|";
  for (std::size_t i = 0; i < cells.size(); ++i) rule += i == 0 ? "---|" : "---:|";
  return markdown_row(cells) + rule + "\n";
}

}  // namespace bench
