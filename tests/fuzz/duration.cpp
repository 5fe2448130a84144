// Durations, numbers, ports and percentages: each of the parsers reads the whole input.
#include <tests/fuzz/expect.hpp>
#include <tests/fuzz/targets.hpp>

#include <fmt/format.h>

#include <bench/compare/compare.hpp>
#include <bench/contract/duration.hpp>
#include <bench/load/address.hpp>
#include <cmath>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

void check_duration(std::string_view input) {
  const auto found = bench::parse_duration(input);
  if (!found) return;
  fuzz::expect(*found >= 0ns && *found <= 24h, "a duration is out of its range");
  fuzz::expect(bench::parse_duration(fmt::format("{}ns", found->count())) == found,
               "a duration is not read back");
}

void check_duration_of_option(const std::string& input) {
  std::chrono::milliseconds found{};
  const auto read = [&] { found = bench::parse_duration("duration", input); };
  if (!fuzz::accepts<bench::usage_error>(input, read)) return;
  fuzz::expect(found >= 1ms && found <= 24h, "an option's duration is out of its range");
  const auto text = fmt::format("{}ms", found.count());
  fuzz::expect(bench::parse_duration("duration", text) == found,
               "an option's duration is not read back");
}

void check_percentage(std::string_view input) {
  double found = 0;
  const auto read = [&] { found = bench::parse_percentage(input); };
  if (!fuzz::accepts<std::invalid_argument>(input, read)) return;
  fuzz::expect(std::isfinite(found) && found >= 0, "a percentage is no share");
  const double again = bench::parse_percentage(fmt::format("{:.17g}", 100 * found));
  fuzz::expect(std::abs(again - found) <= 1e-15 * found, "a percentage is not read back");
}

}  // namespace

void fuzz::duration(std::string_view given) {
  const std::string input{given};
  check_duration(input);
  check_duration_of_option(input);
  check_percentage(input);
  if (const auto number = bench::parse_number(input))
    fuzz::expect(bench::parse_number(fmt::format("{}", *number)) == number,
                 "a number is not read back");
  if (const auto port = bench::parse_port(input))
    fuzz::expect(*port > 0 && bench::parse_port(fmt::format("{}", *port)) == port,
                 "a port is not read back");
}
