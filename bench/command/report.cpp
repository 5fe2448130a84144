// echobench report and echobench compare: what earlier runs say.
#include <fmt/format.h>

#include <algorithm>
#include <bench/analysis/analysis.hpp>
#include <bench/command/commands.hpp>
#include <bench/command/shell/open_page.hpp>
#include <bench/command/splice.hpp>
#include <bench/compare/compare.hpp>
#include <bench/record/caveats.hpp>
#include <bench/record/run_folder.hpp>
#include <bench/report/document/excerpt.hpp>
#include <bench/report/document/micro.hpp>
#include <bench/report/report.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/file.hpp>
#include <bench/text/terminal.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace bench {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& named) {
  const auto name = named.filename();
  return name == "run.ndjson" || name == "run.ndjson.gz" ? named.parent_path() : named;
}

// Rejects an empty name, which would mean the current folder.
void expect_names(const arguments& runs, std::string_view command) {
  if (std::find(runs.begin(), runs.end(), std::string{}) != runs.end())
    throw usage_error(fmt::format("{}: '' is no run", command));
}

struct report_request {
  std::string run;
  arguments documents;
  bool check = false;
  bool verbose = false;
  bool open = false;
};

report_request report_arguments(const arguments& given) {
  report_request request;
  options wanted{"echobench report", "RUN",
                 "Prints the summary of a run and writes its reports anew into its folder. With "
                 "--splice it does neither: it fills the marked places of Markdown files with "
                 "tables and sentences of the run."};
  wanted.add("splice", request.documents, "FILE...", "fill the places of this run in these files");
  wanted.add("check", request.check,
             "with --splice: write nothing, and exit 1 if a place holds something else");
  wanted.add("verbose", request.verbose, "print every table");
  wanted.add("open", request.open, "open the page afterwards");
  wanted.explain(fmt::format(
      "RUN is a folder that holds run.ndjson or run.ndjson.gz. Of the runs in runs/, last is the "
      "newest, last~1 the one before it and so on, and the label that run --label gave is the "
      "newest that has it.\n\n"
      "A place is what stands between these two lines; the first names the run, seen from the "
      "current folder, and what it shows. Everything else in the file stays as it is, places of "
      "other runs too.\n\n"
      "  <!-- from docs/runs/default: summary -->\n"
      "  <!-- end -->\n\n"
      "What it shows is {}. For example: cost of fibers/epoll against asio-callback/epoll on "
      "c1/64,c64/512\n\n"
      "RUN may also be what micro_bench wrote with --benchmark_out=FILE.json; then it shows {}.",
      accepted_excerpts(), accepted_micro_excerpts()));
  wanted.example("report last --verbose");
  wanted.example("report docs/runs/default --splice README.md");
  auto rest = wanted.parse(given);
  if (rest.empty() || (rest.size() > 1 && request.documents.empty()))
    throw usage_error("echobench report: wants one run folder");
  if (request.check && request.documents.empty())
    throw usage_error("echobench report: --check wants --splice FILE...");
  if (request.open && !request.documents.empty())
    throw usage_error("echobench report: --splice writes no page that --open could open");
  expect_names(rest, "echobench report");
  request.run = find_run(rest[0]).string();
  request.documents.insert(request.documents.end(), rest.begin() + 1, rest.end());
  return request;
}

void expect_valid(const run_record& record, const std::string& name) {
  if (const auto* wrong = first_of<caveats::run_void>(record.caveats_found))
    throw run_invalid(fmt::format("{}: {}", name, text_of(*wrong)));
}

void report_anew(const report_request& wanted) {
  const auto folder = folder_of(wanted.run);
  const auto record = read_run(run_file(folder));
  write_reports(record, folder);
  print_summary(stdout, record, style_of(stdout), wanted.verbose ? detail::whole : detail::brief);
  if (wanted.open) tell(stderr, "{}\n", open_page(folder / "report.html"));
  expect_valid(record, wanted.run);
}

excerpt_source excerpts_of(const std::string& run) {
  if (run.ends_with(".json") || run.ends_with(".json.gz"))
    return [results = read_micro(run)](std::string_view wanted) {
      return micro_excerpt(results, wanted);
    };
  const auto record = read_run(run_file(folder_of(run)));
  expect_valid(record, run);
  return [header = record.header, found = analyse(record)](std::string_view wanted) {
    return excerpt(header, found, wanted);
  };
}

}  // namespace

int report_command(const arguments& given) {
  const auto wanted = report_arguments(given);
  if (wanted.documents.empty()) {
    report_anew(wanted);
    return 0;
  }
  const auto excerpt_of = excerpts_of(wanted.run);
  if (wanted.check) return check_documents(wanted.run, excerpt_of, wanted.documents) ? 0 : 1;
  splice_documents(wanted.run, excerpt_of, wanted.documents);
  return 0;
}

int compare_command(const arguments& given) {
  std::optional<std::string> gate;
  std::optional<std::string> page;
  bool markdown = false, json = false;
  options wanted{
      "echobench compare", "OLD... NEW",
      "Says what changed from earlier runs of one program to a new run: CPU per message, "
      "throughput, latency and memory of each server, as ratios to a server of the same run, "
      "because days are not paired. Runs of one program differ, too: from three old runs on, they "
      "show by how much; below that, 2 % of CPU per message is assumed."};
  wanted.add("gate", gate, "PERCENT",
             "exit 1 if CPU per message rose by more, over all loads or on one; 4 if unclear");
  wanted.add("markdown", markdown, "print Markdown, for a pull request");
  wanted.add("json", json, "print JSON, for programs");
  wanted.add("page", page, "FILE", "write an HTML page with charts, too");
  wanted.explain(
      "A run is a folder, its run.ndjson, run.ndjson.gz or report.json; or last, last~1, ... or "
      "a label, as for report.");
  wanted.example("compare last~1 last");
  wanted.example("compare last~2 last~1 last --gate 3%");
  const auto rest = wanted.parse(given);
  if (rest.size() < 2)
    throw usage_error("echobench compare: wants two or more runs, the new one last");
  if (markdown && json) throw usage_error("echobench compare: --markdown or --json, not both");
  expect_names(rest, "echobench compare");
  std::optional<double> limit;
  if (gate) limit = parse_percentage(*gate);
  if (page && page->empty()) throw usage_error("echobench compare: --page '' is no file");
  std::vector<std::filesystem::path> runs;
  for (const auto& each : rest) runs.push_back(find_run(each));
  const auto change = compare_runs(runs, limit);
  if (page) replace_file(*page, comparison_page(change));
  if (markdown)
    fmt::print("{}", comparison_markdown(change));
  else if (json)
    fmt::print("{}", comparison_json(change));
  else
    print_comparison(stdout, change, style_of(stdout));
  return exit_code_of(change.result);
}

}  // namespace bench
