// report: writes a run in several forms. All are made from run.ndjson and say the same.
//
//     write_reports(record, "runs/20260131T123456Z");   // report.json, .csv, .md, .html, ...
//     print_summary(stdout, record, style_of(stdout), detail::brief);
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include <bench/record/record.hpp>
#include <bench/text/terminal.hpp>

namespace bench {

// Writes report.json, .csv, .md and .html, and report.github-action-benchmark.json for charts over
// commits. If histograms were kept, also latency.hlog and latency/*.hgrm for HdrHistogram's tools.
//
// Each file is written under a temporary name and then renamed, so that a reader never sees a
// partial report. Throws std::runtime_error, which names the file and the system's error.
void write_reports(const run_record& record, const std::filesystem::path& folder);

// brief: what fits on a screen. whole: every table.
enum class detail { brief, whole };

// summary_text() returns the summary; print_summary() prints it.
std::string summary_text(const run_record& record, const style& shown, detail wanted);
void print_summary(std::FILE* out, const run_record& record, const style& shown, detail wanted);

// Writes the reports of the run in this folder, then prints the summary and the path of the page.
// If the reports cannot be written, prints the summary all the same and then throws.
void report_run(const std::filesystem::path& folder, detail wanted);

}  // namespace bench
