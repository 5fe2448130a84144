// failing_writes: runs a program, and lets one of the calls fail by which it writes.
//
//     const auto usual = run_watched({echobench, "report", "run"}, {.folder = folder});
//     usual.calls[3].text();                                // "rename run/report.json.unfinished"
//     run_watched({echobench, "report", "run"}, {.folder = folder, .fault = {4, ENOSPC}});
//
// The kernel asks this process about each such call (SECCOMP_RET_USER_NOTIF). So it does not matter
// who makes the call: the program, iostreams, std::filesystem or the inside of the C library. Only
// calls of the program itself count, not those of its children, and only those that concern the
// folder, standard output or standard error.
#pragma once

#include <sys/types.h>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

struct writing_call {
  enum class kind { open, make_folder, write, rename, truncate, permit, lock, close, remove };
  kind of;
  std::string path;  // below the folder, or "standard output" or "standard error"

  std::string text() const;
  bool is_standard() const { return path.starts_with("standard "); }
};

struct write_fault {
  static constexpr int one_byte = -1;  // instead of an error: the call writes one byte

  std::size_t call = 0;  // from 1; 0: none
  int error = 0;
  bool lasts = false;  // later calls fail as well, if they concern the folder
};

// The faults to try for the call of this number: errors that its manual page names and that come
// without a mistake of the program, and a disk that is full or read-only from there on.
std::vector<write_fault> faults_of(const writing_call& call, std::size_t number);

struct watched_options {
  std::filesystem::path folder{};  // in which the program runs
  // Opened as standard output: a file or device, or a pipe whose read end is closed.
  std::string output = {};  // empty: watched_end::out takes it
  write_fault fault{};
  std::chrono::seconds at_most{60};
};
inline const std::string closed_pipe = "a pipe that nobody reads";

struct watched_end {
  int exit_code = -1;  // -1: a signal ended it
  int signal = 0;      // SIGKILL if it took too long
  std::string out;
  std::string err;
  std::vector<writing_call> calls;
  std::vector<pid_t> left;  // processes that outlived it
};

// Whether the kernel permits this to a process without privileges.
bool can_watch_writes();

watched_end run_watched(const std::vector<std::string>& command, const watched_options& options);
