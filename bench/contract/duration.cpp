#include <bench/contract/duration.hpp>

#include <charconv>
#include <cmath>

namespace bench {
namespace {

// Nanoseconds per unit; 0: unknown unit.
double length_of(std::string_view unit) {
  return unit == "ns"   ? 1
         : unit == "us" ? 1e3
         : unit == "ms" ? 1e6
         : unit == "s"  ? 1e9
         : unit == "m"  ? 60e9
                        : 0;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  constexpr double day = 86'400e9;
  if (text == "0") return std::chrono::nanoseconds{0};
  double number = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  const auto unit = length_of({end, text.end()});
  const auto length = number * unit;
  if (error != std::errc{} || unit == 0 || !(length >= 0 && length <= day)) return std::nullopt;
  return std::chrono::nanoseconds{std::llround(length)};
}

}  // namespace bench
