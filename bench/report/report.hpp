// report: a run, told in several forms. All are views of run.ndjson and say the same.
//
//     write_reports(record, "runs/20260131T123456Z");   // report.json, .csv, .md, .html, ...
//     print_summary(stdout, record, {.width = 80, .colour = true, .unicode = true});
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include <bench/record/record.hpp>
#include <bench/text/terminal.hpp>

namespace bench {

// Also report.github-action-benchmark.json, for charts over commits, and where histograms were kept
// latency.hlog and latency/*.hgrm, for the tools of HdrHistogram.
//
// Each file is written beside its name and then renamed over it, so a reader never meets half a
// report. Throws std::runtime_error that names the file and what the system said.
void write_reports(const run_record& record, const std::filesystem::path& folder);

// The summary as text, and the same text printed.
std::string summary_text(const run_record& record, const style& shown);
void print_summary(std::FILE* out, const run_record& record, const style& shown);

// Writes the reports of the run in this folder, then prints its summary and where the page is.
// Where the reports cannot be written the summary is printed nevertheless, and then it throws.
void report_run(const std::filesystem::path& folder);

}  // namespace bench
