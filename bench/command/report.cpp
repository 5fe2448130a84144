// echobench report and echobench compare: what earlier runs say.
#include <fmt/format.h>

#include <algorithm>
#include <bench/command/commands.hpp>
#include <bench/compare/compare.hpp>
#include <bench/record/caveats.hpp>
#include <bench/report/report.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/terminal.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace bench {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& named) {
  return named.filename() == "run.ndjson" ? named.parent_path() : named;
}

// Rejects an empty name, which would mean the current folder.
void expect_names(const arguments& runs, std::string_view command) {
  if (std::find(runs.begin(), runs.end(), std::string{}) != runs.end())
    throw usage_error(fmt::format("{}: '' is no run", command));
}

}  // namespace

int report_command(const arguments& given) {
  options wanted{"echobench report", "RUN",
                 "Prints the summary of a run folder and writes its reports anew from run.ndjson."};
  const auto rest = wanted.parse(given);
  if (rest.size() != 1) throw usage_error("echobench report: wants one run folder");
  expect_names(rest, "echobench report");
  const auto folder = folder_of(rest[0]);
  const auto record = read_run(folder / "run.ndjson");
  write_reports(record, folder);
  print_summary(stdout, record, style_of(stdout));
  if (const auto* wrong = first_of<caveats::run_void>(record.caveats_found))
    throw run_invalid(fmt::format("{}: {}", rest[0], text_of(*wrong)));
  return 0;
}

int compare_command(const arguments& given) {
  std::optional<std::string> gate;
  bool markdown = false;
  options wanted{
      "echobench compare", "RUN RUN...",
      "Says what became dearer or cheaper from the first run to the last, oldest first:\n"
      "by the ratio to a server that both measured, because days are not paired. Of\n"
      "three runs and more it also shows each server's way from run to run."};
  wanted.add(
      "gate", gate, "PERCENT",
      "exit 1 if a server became dearer by more from the first run to the last, 4 if unclear");
  wanted.add("markdown", markdown, "print Markdown, for a pull request");
  const auto rest = wanted.parse(given);
  if (rest.size() < 2) throw usage_error("echobench compare: wants two or more runs, oldest first");
  expect_names(rest, "echobench compare");
  std::optional<double> limit;
  if (gate) limit = parse_percentage(*gate);
  const auto change = compare_runs({rest.begin(), rest.end()}, limit);
  if (markdown)
    fmt::print("{}", comparison_markdown(change));
  else
    print_comparison(stdout, change, style_of(stdout));
  return change.exit_code();
}

}  // namespace bench
