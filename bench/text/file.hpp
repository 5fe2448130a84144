// file: reads a whole file, replaces a file's whole content, and makes a folder.
//
//     replace_file(path, changed(file_text(path)));
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace bench {

// The content of the file, decompressed if it is a gzip file. Throws std::runtime_error, which
// names the file and the reason, also for more than 256 MiB.
std::string file_text(const std::filesystem::path& file);

// Writes a temporary file beside `named` and renames it, so that a reader finds either the old or
// the new content. An existing file keeps its permissions, and what a symbolic link leads to is
// replaced, not the link. A device or a pipe is written to. Throws like file_text().
void replace_file(const std::filesystem::path& named, std::string_view text);

// Makes the folder and those above it, where they are missing. Throws like file_text().
void make_folder(const std::filesystem::path& folder);

}  // namespace bench
