#include <bench/measure/resume.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <bench/record/run_folder.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>

namespace bench {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw run_invalid(fmt::format("cannot resume: {}", what));
}

std::vector<std::string> names_of(const run_header& header) {
  std::vector<std::string> names;
  for (const auto& each : header.servers) names.push_back(each.name);
  return names;
}

// True if a program file is newer than the beginning of the run: it has been built again since. A
// server may have been started as several programs: "fibers_echo ...; fibers_http ...".
bool is_rebuilt(const server_info& server, const std::string& begun_utc) {
  const auto words = split_words(server.command);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && !words[i - 1].ends_with(';')) continue;
    struct stat found {};
    if (stat(find_program(words[i]).c_str(), &found) == 0 && utc_text(found.st_mtime) > begun_utc)
      return true;
  }
  return false;
}

void expect_same_programs(const run_header& begun, const run_header& now) {
  for (std::size_t i = 0; i < begun.servers.size(); ++i) {
    const auto& was = begun.servers[i];
    const auto& is = now.servers[i];
    if (was.command != is.command || was.target != is.target)
      refuse(fmt::format("{} was started by '{}'", was.name, was.target.value_or(was.command)));
    if (is_rebuilt(is, begun.started_utc) || was.prefix != is.prefix)
      refuse(fmt::format("{} is another program now", was.name));
  }
}

}  // namespace

run_record read_resumable(const std::filesystem::path& folder) {
  auto begun = read_run(folder / "run.ndjson");
  if (const auto* wrong = first_of<caveats::run_void>(begun.caveats_found)) refuse(text_of(*wrong));
  return begun;
}

arguments arguments_of(const run_header& begun) try {
  const auto words = split_words(begun.command_line);
  if (words.size() < 2 || words[0] != "echobench" || words[1] != "run") {
    throw unreadable_run{
        fmt::format("cannot resume: '{}' is no echobench run", begun.command_line)};
  }
  return {words.begin() + 2, words.end()};
} catch (const usage_error& error) {
  throw unreadable_run{fmt::format("cannot resume: {}", error.what())};
}

void expect_same_run(const run_header& begun, const run_header& now) {
  const auto differences = differences_between(begun.machine, now.machine);
  if (!differences.empty()) {
    refuse(fmt::format("the machine or the build is another: {}", fmt::join(differences, "; ")));
  }
  if (names_of(begun) != names_of(now)) {
    refuse(fmt::format("it measures {}, and here that would be {}",
                       fmt::join(names_of(begun), ", "), fmt::join(names_of(now), ", ")));
  }
  expect_same_programs(begun, now);
  if (begun.scenarios != now.scenarios || begun.comparisons != now.comparisons ||
      begun.rounds != now.rounds) {
    refuse(fmt::format("its suite '{}' holds something else now", begun.suite));
  }
}

}  // namespace bench
