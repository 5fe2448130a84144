// duration: parses a duration, in the same way for servers and for echobench.
//
//     parse_duration("1.5s")     // 1,500,000,000 ns
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace bench {

// Accepts a number with a unit (ns, us, ms, s or m), such as 30s, 1.5ms or 2m, and a plain 0.
// nullopt: the text is not a duration, is negative, or is longer than a day. No timeout needs more,
// and a day is far from overflowing.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace bench
