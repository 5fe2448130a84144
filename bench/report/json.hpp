// report_json: a report.json in one line, and read back.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <filesystem>
#include <string>

namespace bench {

struct report_contents {
  run_header header;
  results found;
};

// The same as json_report() on one line.
std::string json_report_line(const run_header& header, const results& found);

// Throws unreadable_run, whose text names the file and what is wrong with it.
report_contents read_json_report(const std::filesystem::path& file);

}  // namespace bench
