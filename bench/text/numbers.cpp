#include <bench/text/numbers.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

// "-1,234,567"; "1e+30" if it does not fit into a long long.
std::string with_thousands(double rounded) {
  constexpr double most = 9e18;
  if (!(std::abs(rounded) < most)) return fmt::format("{:.3g}", rounded);
  const auto number = std::llround(rounded);
  std::string text = number < 0 ? "-" : "";
  const auto digits = fmt::format("{}", std::abs(number));
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

// About three significant digits; above 100, all digits of the integer.
std::string three_digits(double number) {
  const double size = std::abs(number);
  if (size >= 99.95) return with_thousands(number);
  return fmt::format("{:.{}f}", number, size >= 9.995 ? 1 : 2);
}

}  // namespace

std::string ns_text(double nanoseconds) {
  return with_thousands(nanoseconds);
}
std::string count_text(double number) {
  return with_thousands(number);
}
std::string ratio_text(double ratio) {
  return fmt::format("{:.3f}", ratio);
}
std::string percent_text(double fraction) {
  return fmt::format("{:.1f} %", 100 * fraction);
}
std::string microseconds_text(double time) {
  return three_digits(time);
}
std::string kib_text(double kib) {
  return fmt::format("{:.1f}", kib);
}

std::string calls_text(std::optional<double> a_message) {
  return a_message ? fmt::format("{:.3f}", *a_message) : "n/a";
}

std::string interval_text(const estimate& shown, std::string (*number)(double),
                          std::string_view unit) {
  if (shown.n == 0) return "n/a";
  const auto value = fmt::format("{}{}{}", number(shown.value), unit.empty() ? "" : " ", unit);
  if (shown.range)
    return fmt::format("{} [{}, {}]", value, number(shown.range->low), number(shown.range->high));
  return fmt::format("{} ({} {}, no interval)", value, shown.n, shown.n == 1 ? "block" : "blocks");
}

std::string interval_text(const std::optional<estimate>& shown, std::string (*number)(double),
                          std::string_view unit) {
  return shown ? interval_text(*shown, number, unit) : "n/a";
}

std::string clock_text(std::chrono::duration<double> length) {
  const auto seconds = std::max(0L, std::lround(length.count()));
  return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

std::string prefix_text(const std::string& prefix) {
  return prefix.empty() ? "none" : fmt::format("{:?}", prefix);
}

}  // namespace bench
