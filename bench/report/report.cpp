#include <bench/report/report.hpp>

#include <fmt/format.h>

#include <bench/analysis/analysis.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/latency_files.hpp>
#include <bench/text/file.hpp>
#include <bench/text/terminal.hpp>
#include <exception>

namespace bench {
namespace {

void write_latencies(const run_record& record, const std::filesystem::path& folder) {
  const auto log = latency_log(record);
  if (log.empty()) return;
  replace_file(folder / "latency.hlog", log);
  make_folder(folder / "latency");
  for (const auto& [name, table] : percentile_tables(record))
    replace_file(folder / "latency" / name, table);
}

}  // namespace

void write_reports(const run_record& record, const std::filesystem::path& folder) {
  const auto found = analyse(record);
  replace_file(folder / "report.json", json_report(record.header, found));
  replace_file(folder / "report.csv", csv_report(record.header, found));
  replace_file(folder / "report.md", markdown_report(record.header, found));
  replace_file(folder / "report.html", html_report(record.header, found));
  replace_file(folder / "report.github-action-benchmark.json", github_action_report(found));
  write_latencies(record, folder);
}

std::string summary_text(const run_record& record, const style& shown) {
  return terminal_report(record.header, analyse(record), shown);
}

void print_summary(std::FILE* out, const run_record& record, const style& shown) {
  fmt::print(out, "{}", summary_text(record, shown));
}

void report_run(const std::filesystem::path& folder) {
  const auto record = read_run(folder / "run.ndjson");
  try {
    write_reports(record, folder);
  } catch (const std::exception&) {
    print_summary(stdout, record, style_of(stdout));
    throw;
  }
  print_summary(stdout, record, style_of(stdout));
  flush(stdout);
  fmt::print("\n{}\n", (folder / "report.html").string());
}

}  // namespace bench
