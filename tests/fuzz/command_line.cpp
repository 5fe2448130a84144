// The options of a command: values that are accepted are the same when they are given again.
#include <tests/fuzz/expect.hpp>
#include <tests/fuzz/targets.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <vector>

namespace {

// One option of each type that a command can have.
struct values {
  bool list = false;
  int rounds = 3;
  std::string suite = "default";
  std::optional<std::string> gate;
  std::optional<int> port;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> added;
  bench::arguments rest;

  friend bool operator==(const values&, const values&) = default;
};

values parsed(const bench::arguments& given) {
  values found;
  bench::options wanted{"echobench some", "RUN", "Has an option of each type."};
  wanted.add("list", found.list, "a flag");
  wanted.add("rounds", found.rounds, "N", "a number with a default");
  wanted.add("suite", found.suite, "NAME", "a word with a default");
  wanted.add("gate", found.gate, "PERCENT", "a word that may be absent");
  wanted.add("port", found.port, "PORT", "a number that may be absent");
  wanted.add("seed", found.seed, "N", "a large number that may be absent");
  wanted.add("server", found.added, "NAME=COMMAND", "a word that may be repeated");
  found.rest = wanted.parse(given);
  return found;
}

bench::arguments arguments_of(const values& found) {
  bench::arguments given{fmt::format("--rounds={}", found.rounds), "--suite=" + found.suite};
  if (found.list) given.push_back("--list");
  if (found.gate) given.push_back("--gate=" + *found.gate);
  if (found.port) given.push_back(fmt::format("--port={}", *found.port));
  if (found.seed) given.push_back(fmt::format("--seed={}", *found.seed));
  for (const auto& each : found.added) given.push_back("--server=" + each);
  given.push_back("--");
  given.insert(given.end(), found.rest.begin(), found.rest.end());
  return given;
}

}  // namespace

void fuzz::command_line(std::string_view input) try {
  [[maybe_unused]] static const auto* silent = std::freopen("/dev/null", "w", stdout);  // --help
  values found;
  const auto read = [&] { found = parsed(fuzz::arguments_in(input)); };
  if (fuzz::accepts<bench::usage_error>(input, read))
    fuzz::expect(parsed(arguments_of(found)) == found, "options are not read back");
} catch (const bench::help_shown&) {
}
