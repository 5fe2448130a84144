#include <bench/text/wrapped.hpp>

#include <algorithm>

namespace bench {

int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char each) {
    return (static_cast<unsigned char>(each) & 0xc0U) != 0x80U;  // not a continuation byte
  }));
}

std::string wrapped(std::string_view text, int width, int indent) {
  std::string result;
  int column = 0;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (column > 0 && column + 1 + columns_of(word) > width) {
      result += '\n';
      result.append(static_cast<std::size_t>(indent), ' ');
      column = indent;
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += columns_of(word);
  }
  return result + '\n';
}

std::string name_cell(const std::string& name, std::size_t width, std::size_t left) {
  if (name.size() < width) return name + std::string(width - name.size(), ' ');
  return name + '\n' + std::string(left + width, ' ');
}

}  // namespace bench
