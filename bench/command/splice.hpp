// splice: fills or checks documents that show numbers of a run; for echobench report --splice.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The text of a place of the run. Throws std::invalid_argument if the run does not have it.
using excerpt_source = std::function<std::string(std::string_view wanted)>;

// Fills the marked places of this run in each document and prints how many of them changed. Throws
// std::invalid_argument for a bad marker, before any document is written; usage_error if a document
// cannot be read.
void splice_documents(const std::filesystem::path& run, const excerpt_source& excerpt_of,
                      const std::vector<std::string>& names);

// Writes nothing. Prints a line for each place of this run whose text differs from the run's, and
// for each marker whose run does not exist. True if it printed none. Throws like
// splice_documents().
bool check_documents(const std::filesystem::path& run, const excerpt_source& excerpt_of,
                     const std::vector<std::string>& names);

}  // namespace bench
