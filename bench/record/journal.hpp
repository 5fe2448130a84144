// journal: run.ndjson, to which a run is written while it is measured.
//
//     journal file{folder / "run.ndjson"};
//     file.append(to_json_line(header));
//
// When append() returns, the kernel has the line, so the line survives kill -9.
#pragma once

#include <bench/contract/descriptor.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

class journal {
 public:
  // Creates the file and its folders. Throws run_invalid, which says what cannot be written and
  // why, also if the file exists. An existing file is not changed.
  explicit journal(const std::filesystem::path& file);

  // Creates the file with these lines. If one of them cannot be written, removes the file again:
  // without its first lines it could neither be resumed nor be begun anew.
  static journal begin(const std::filesystem::path& file, const std::vector<std::string>& lines);

  // Opens an existing file to append to it. If its last line is incomplete, because of a kill or a
  // full disk, the line is cut off; if the line lacks only its newline, it gets one. Throws
  // run_invalid if the file cannot be opened, is compressed, or if another process has it open as a
  // journal.
  static journal go_on(const std::filesystem::path& file);

  void append(std::string line);

  // Ends the journal. On a network file system, what append() wrote may fail only here.
  void close();

  const std::filesystem::path& path() const { return path_; }

 private:
  journal(std::filesystem::path file, descriptor opened);
  void complete_or_cut(const std::string& line);

  std::filesystem::path path_;
  descriptor file_;
};

}  // namespace bench
