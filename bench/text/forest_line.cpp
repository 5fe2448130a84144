#include <bench/text/forest_line.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

namespace bench {
namespace {

constexpr double smallest_span = 0.04;  // so that tiny differences do not fill the line

struct marks {
  std::string_view left, line, estimate, right, one;
};
constexpr marks ascii_marks{"|", "-", "o", "|", ":"};
constexpr marks unicode_marks{"├", "─", "●", "┤", "┊"};

}  // namespace

forest_scale::forest_scale(std::span<const estimate> ratios, int columns, bool unicode)
    : columns_{std::max(columns, 10)}, unicode_{unicode} {
  for (const auto& each : ratios) {
    if (each.n == 0) continue;
    low_ = std::min(low_, each.range ? each.range->low : each.value);
    high_ = std::max(high_, each.range ? each.range->high : each.value);
  }
  if (high_ - low_ < smallest_span) {
    const double middle = (low_ + high_) / 2;
    low_ = middle - smallest_span / 2;
    high_ = middle + smallest_span / 2;
  }
}

int forest_scale::column_of(double ratio) const {
  const double place = (ratio - low_) / (high_ - low_) * (columns_ - 1);
  return std::clamp(static_cast<int>(std::lround(place)), 0, columns_ - 1);
}

std::string forest_scale::axis() const {
  std::string text(static_cast<std::size_t>(columns_), ' ');
  const auto put = [&](double number, int centre) {
    const auto label = fmt::format("{:.2f}", number);
    const auto width = static_cast<int>(label.size());
    if (width > columns_) return;
    const int at = std::clamp(centre - width / 2, 0, columns_ - width);
    const auto around =
        text.substr(static_cast<std::size_t>(std::max(0, at - 1)), label.size() + 2);
    // No room: the label of 1 has priority.
    if (around.find_first_not_of(' ') != std::string::npos) return;
    text.replace(static_cast<std::size_t>(at), label.size(), label);
  };
  put(1, column_of(1));
  put(low_, 0);
  put(high_, columns_ - 1);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::string forest_scale::line(const estimate& ratio) const {
  const auto& mark = unicode_ ? unicode_marks : ascii_marks;
  std::vector<std::string_view> cells(static_cast<std::size_t>(columns_), " ");
  const auto cell = [&](int column) -> std::string_view& {
    return cells[static_cast<std::size_t>(column)];
  };
  cell(column_of(1)) = mark.one;
  if (ratio.n > 0 && ratio.range) {
    const int left = column_of(ratio.range->low);
    const int right = column_of(ratio.range->high);
    for (int column = left; column <= right; ++column) cell(column) = mark.line;
    if (right - left >= 2) {
      cell(left) = mark.left;
      cell(right) = mark.right;
    }
  }
  if (ratio.n > 0) cell(column_of(ratio.value)) = mark.estimate;
  std::string text;
  for (const auto each : cells) text += each;
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

}  // namespace bench
