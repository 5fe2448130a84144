// numbers: how all reports write numbers.
//
//     interval_text({55.2, {{40, 70}}, 10}, ns_text, "ns")   // "55 ns [40, 70]"
#pragma once

#include <bench/statistics/statistics.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

std::string ns_text(double nanoseconds);                  // "55", "1,380", "-12"
std::string count_text(double number);                    // "171,204"
std::string ratio_text(double ratio);                     // "0.959"
std::string percent_text(double fraction);                // "1.4 %"
std::string microseconds_text(double time);               // "8.42", "303", "1,166"
std::string kib_text(double kib);                         // "9.1"
std::string calls_text(std::optional<double> a_message);  // "2.016"; absent: "n/a"

// "55 ns [40, 70]"; without an interval: "55 ns (4 blocks, no interval)"; without blocks: "n/a".
std::string interval_text(const estimate& shown, std::string (*number)(double),
                          std::string_view unit = {});
std::string interval_text(const std::optional<estimate>& shown, std::string (*number)(double),
                          std::string_view unit = {});

std::string clock_text(std::chrono::duration<double> length);  // "2:05"

// The prefix of a server's replies in quotes, such as "GOT:"; empty: none.
std::string prefix_text(const std::string& prefix);

}  // namespace bench
