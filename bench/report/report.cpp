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

std::string summary_text(const run_record& record, const style& shown, detail wanted) {
  const auto text_of = wanted == detail::whole ? terminal_report : terminal_summary;
  return text_of(record.header, analyse(record), shown);
}

void print_summary(std::FILE* out, const run_record& record, const style& shown, detail wanted) {
  fmt::print(out, "{}", summary_text(record, shown, wanted));
}

void report_run(const std::filesystem::path& folder, detail wanted) {
  const auto record = read_run(folder / "run.ndjson");
  try {
    write_reports(record, folder);
  } catch (const std::exception&) {
    print_summary(stdout, record, style_of(stdout), wanted);
    throw;
  }
  print_summary(stdout, record, style_of(stdout), wanted);
  flush(stdout);
  fmt::print("Every table: {}{}\n", (folder / "report.html").string(),
             wanted == detail::brief ? ", or report --verbose" : "");
}

}  // namespace bench
