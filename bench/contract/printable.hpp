// printable: text from outside, made safe for a terminal and for JSON.
//
//     printable("two\nlines")      // two\x0Alines
//     valid_utf8("caf\xE9")        // "caf" and U+FFFD
#pragma once

#include <fmt/format.h>
#include <cstddef>
#include <string>
#include <string_view>

namespace bench {

// The number of bytes of the UTF-8 character with which `text` begins; 0: it begins with none.
inline std::size_t first_character(std::string_view text) {
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const auto first = byte(0);
  if (first < 0x80) return text.empty() ? 0 : 1;
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // What is longer than it need be, half of a surrogate pair, or beyond U+10FFFF.
  const bool forbidden = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
                         (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
  return forbidden ? 0 : length;
}

// True for line feeds, the escape character and the like, also for those from U+0080 to U+009F.
inline bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 2)
    return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  return character.size() == 1 && (first < 0x20 || first == 0x7F);
}

// Each byte of a control character, and each that is not UTF-8, becomes \xNN. Applied twice, it
// changes nothing more.
inline std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const auto length = first_character(text);
    const auto character = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(character.size());
    if (length != 0 && !is_control(character)) {
      shown += character;
      continue;
    }
    for (const char each : character)
      shown += fmt::format("\\x{:02X}", static_cast<unsigned char>(each));
  }
  return shown;
}

// Each byte that is not UTF-8 becomes U+FFFD, because JSON is UTF-8.
inline std::string valid_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const auto length = first_character(text);
    valid += length == 0 ? std::string_view{"\uFFFD"} : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

}  // namespace bench
