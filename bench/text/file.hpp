// file: a file read whole, and replaced whole.
//
//     replace_file(path, changed(file_text(path)));
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace bench {

// What the file holds; if it is compressed with gzip, what it holds uncompressed. Throws
// std::runtime_error that names the file and the reason.
std::string file_text(const std::filesystem::path& file);

// Writes beside the file and renames, so that a reader finds the old text or the new one, never
// half of it. A file that is there keeps its permissions. Throws as file_text() does.
void replace_file(const std::filesystem::path& file, std::string_view text);

}  // namespace bench
