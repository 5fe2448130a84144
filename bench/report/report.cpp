#include <bench/report/report.hpp>

#include <fmt/format.h>

#include <bench/analysis/analysis.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/latency_files.hpp>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace bench {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, int error) {
  throw std::runtime_error{fmt::format("cannot write {}: {}", file.string(), std::strerror(error))};
}

// On a full disk fwrite() or only fclose() fails, so both are checked.
void write_file(const std::filesystem::path& file, std::string_view text) {
  std::FILE* out = std::fopen(file.c_str(), "wb");
  if (!out) fail(file, errno);
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size();
  const int write_error = errno;
  const bool closed = std::fclose(out) == 0;
  if (!written) fail(file, write_error);
  if (!closed) fail(file, errno);
}

void replace_file(const std::filesystem::path& file, std::string_view text) {
  auto unfinished = file;
  unfinished += ".unfinished";
  std::error_code error;
  try {
    write_file(unfinished, text);
  } catch (...) {
    std::filesystem::remove(unfinished, error);
    throw;
  }
  std::filesystem::rename(unfinished, file, error);
  if (!error) return;
  const auto reason = error.message();
  std::filesystem::remove(unfinished, error);
  throw std::runtime_error{fmt::format("cannot write {}: {}", file.string(), reason)};
}

void write_latencies(const run_record& record, const std::filesystem::path& folder) {
  const auto log = latency_log(record);
  if (log.empty()) return;
  replace_file(folder / "latency.hlog", log);
  std::filesystem::create_directories(folder / "latency");
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
  const auto text = summary_text(record, shown);
  std::fwrite(text.data(), 1, text.size(), out);
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
  std::fflush(stdout);
  if (std::ferror(stdout) == 0) fmt::print("\n{}\n", (folder / "report.html").string());
}

}  // namespace bench
