// Writes JSON as text for people. Boost.JSON writes 55.0 as 5.5E1 and cannot indent.
#include <bench/text/described_json.hpp>

#include <fmt/format.h>

#include <bench/contract/printable.hpp>
#include <cmath>

namespace bench {
namespace {

namespace json = boost::json;

// Twelve significant digits are more than any clock here provides. Seventeen would not round-trip:
// Boost.JSON's parser may be off in the last digit.
std::string number_text(double number) {
  if (!std::isfinite(number)) return "null";
  return fmt::format("{:.12g}", number);
}

// Names, commands and paths may hold any byte, but a JSON text that is not UTF-8 cannot be read
// back. JSON permits the control characters from U+007F as they are, but a terminal obeys them.
std::string string_text(std::string_view text) {
  const auto plain = json::serialize(json::string(valid_utf8(text)));
  std::string escaped;
  for (std::string_view rest = plain; !rest.empty();) {
    const auto character = rest.substr(0, first_character(rest));
    if (is_control(character))
      escaped += fmt::format("\\u{:04x}", static_cast<unsigned char>(character.back()));
    else
      escaped += character;
    rest.remove_prefix(character.size());
  }
  return escaped;
}

constexpr int on_one_line = -1;

void write_value(std::string& out, const json::value& value, int level);

void break_line(std::string& out, int level) {
  if (level == on_one_line) return;
  out += '\n';
  out.append(2 * static_cast<std::size_t>(level), ' ');
}

int deeper(int level) {
  return level == on_one_line ? on_one_line : level + 1;
}

void write_object(std::string& out, const json::object& object, int level) {
  out += '{';
  bool first = true;
  for (const auto& member : object) {
    if (!std::exchange(first, false)) out += ',';
    break_line(out, deeper(level));
    out += string_text(member.key());
    out += level == on_one_line ? ":" : ": ";
    write_value(out, member.value(), deeper(level));
  }
  if (!object.empty()) break_line(out, level);
  out += '}';
}

// An array without objects and arrays stays on one line, even in indented text.
bool is_plain(const json::array& array) {
  for (const auto& value : array)
    if (value.is_structured()) return false;
  return true;
}

void write_array(std::string& out, const json::array& array, int level) {
  const bool together = is_plain(array);
  out += '[';
  bool first = true;
  for (const auto& value : array) {
    if (!std::exchange(first, false)) out += together && level != on_one_line ? ", " : ",";
    if (!together) break_line(out, deeper(level));
    write_value(out, value, together ? on_one_line : deeper(level));
  }
  if (!together) break_line(out, level);
  out += ']';
}

void write_value(std::string& out, const json::value& value, int level) {
  if (value.is_object())
    write_object(out, value.get_object(), level);
  else if (value.is_array())
    write_array(out, value.get_array(), level);
  else if (value.is_double())
    out += number_text(value.get_double());
  else if (value.is_string())
    out += string_text(value.get_string());
  else
    out += json::serialize(value);
}

}  // namespace

std::string json_text(const json::value& value) {
  std::string text;
  write_value(text, value, on_one_line);
  return text;
}

std::string indented_json_text(const json::value& value) {
  std::string text;
  write_value(text, value, 0);
  return text + '\n';
}

found_member::found_member(const boost::json::value& object, const char* name,
                           const std::string& where, bool may_be_absent)
    : path{where.empty() ? std::string{name} : where + "." + name},
      value{object.get_object().if_contains(name)} {
  static const boost::json::value absent;
  if (value != nullptr) return;
  if (!may_be_absent) throw malformed{path, "is missing"};
  value = &absent;
}

}  // namespace bench
