// splice: fills or checks documents that show numbers of a run; for echobench report --splice.
#pragma once

#include <bench/record/record.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

// Fills the marked places of this run in each document and prints how many of them changed. Throws
// std::invalid_argument for a bad marker, before any document is written; usage_error if a document
// cannot be read.
void splice_documents(const std::filesystem::path& run, const run_record& record,
                      const std::vector<std::string>& names);

// Writes nothing. Prints a line for each place of this run whose text differs from the run's, and
// for each marker whose run does not exist. True if it printed none. Throws like
// splice_documents().
bool check_documents(const std::filesystem::path& run, const run_record& record,
                     const std::vector<std::string>& names);

}  // namespace bench
