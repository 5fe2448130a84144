#include <bench/text/wrapped.hpp>

#include <algorithm>

namespace bench {

int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char each) {
    return (static_cast<unsigned char>(each) & 0xc0U) != 0x80U;  // not a continuation byte
  }));
}

std::string wrapped(std::string_view text, int width, int indent, int begins_at) {
  std::string result;
  int column = begins_at;
  bool begun = false;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (begun && column + 1 + columns_of(word) > width) {
      result += '\n';
      result.append(static_cast<std::size_t>(indent), ' ');
      column = indent;
    } else if (begun) {
      result += ' ';
      ++column;
    }
    begun = begun || !word.empty();
    result += word;
    column += columns_of(word);
  }
  return result + '\n';
}

std::string paragraphs(std::string_view text, int width) {
  std::string result;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    result += line.starts_with(' ') ? std::string{line} + '\n' : wrapped(line, width, 0);
  }
  return result;
}

std::string in_pieces(std::string_view text, int longest) {
  std::string result;
  int column = 0;
  for (const char each : text) {
    const bool begins_a_character = columns_of({&each, 1}) == 1;
    if (each == ' ') column = -1;
    if (begins_a_character && column == longest) {
      result += ' ';
      column = 0;
    }
    result += each;
    column += begins_a_character ? 1 : 0;
  }
  return result;
}

std::string name_cell(const std::string& name, std::size_t width, std::size_t left) {
  if (name.size() < width) return name + std::string(width - name.size(), ' ');
  return name + '\n' + std::string(left + width, ' ');
}

}  // namespace bench
