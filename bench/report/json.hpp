// json: writes report.json on one line and reads it back.
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

// The text of json_report() on one line.
std::string json_report_line(const run_header& header, const results& found);

// Throws unreadable_run, which names the file and says what is wrong with it.
report_contents read_json_report(const std::filesystem::path& file);

}  // namespace bench
