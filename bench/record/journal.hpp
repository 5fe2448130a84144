// journal: run.ndjson, where a run is written down as it happens.
//
//     journal file{folder / "run.ndjson"};
//     file.append(to_json_line(header));
//
// Every line is in the hands of the kernel when append() returns, so it survives kill -9.
#pragma once

#include <bench/contract/descriptor.hpp>
#include <filesystem>
#include <string>

namespace bench {

class journal {
 public:
  // Creates the file and the folders above it; an existing file is not touched. Throws run_invalid
  // that names what cannot be written and why: also where another process has it as a journal.
  explicit journal(const std::filesystem::path& file);

  // Goes on behind the last whole line of a file that is there; half a line after it, which a kill
  // or a full disk left, is cut off. One that lacks only its newline gets it.
  static journal go_on(const std::filesystem::path& file);

  void append(std::string line);

  const std::filesystem::path& path() const { return path_; }

 private:
  journal(const std::filesystem::path& file, descriptor opened);
  void complete_or_cut(const std::string& line);

  std::filesystem::path path_;
  descriptor file_;
};

}  // namespace bench
