// splice: documents that show numbers of a run, filled and checked. For echobench report --splice.
#pragma once

#include <bench/record/record.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

// Fills the places of this run in every document, and says on standard output what that changed.
// Throws std::invalid_argument for a bad marker; then no document was written.
void splice_documents(const std::filesystem::path& run, const run_record& record,
                      const std::vector<std::string>& names);

// Writes nothing. Prints a line for each place of this run that holds something else, and for each
// marker that names a run that does not exist; returns whether there was none.
bool check_documents(const std::filesystem::path& run, const run_record& record,
                     const std::vector<std::string>& names);

}  // namespace bench
