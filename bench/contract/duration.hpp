// duration: a length of time as it is typed, the same for servers and for echobench.
//
//     parse_duration("1.5s")     // 1,500,000,000 ns
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace bench {

// A number and its unit, ns, us, ms, s or m, as in 30s, 1.5ms or 2m; and 0. Absent: it is none, or
// longer than a day, which is more than any timeout needs and far from overflowing.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace bench
