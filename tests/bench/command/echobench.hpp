// echobench: runs the program in a temporary folder.
//
//     BOOST_FIXTURE_TEST_CASE(help_is_no_error, echobench) {
//       BOOST_TEST(run({"--help"}).exit_code == 0);
//     }
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <tests/scratch_folder.hpp>

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// Of the facts about a command, those that AddressSanitizer watches.
inline const boost::unit_test::label each_command{"each_command"};

struct outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

using words = std::vector<std::string>;

class echobench {
 public:
  outcome run(const words& arguments) {
    start(arguments);
    return wait();
  }

  // With `closed`, it starts without these standard descriptors.
  void start(const words& arguments, const std::string& output = "out",
             const std::vector<int>& closed = {}) {
    std::vector<char*> raw{const_cast<char*>(program.c_str())};
    for (const auto& each : arguments) raw.push_back(const_cast<char*>(each.c_str()));
    raw.push_back(nullptr);
    const auto err = folder / "err";
    pid = fork();
    if (pid != 0) return;
    dup2(open_output(output), STDOUT_FILENO);
    dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
    for (const int each : closed) close(each);
    if (chdir(folder.path().c_str()) == 0) execv(raw[0], raw.data());
    _exit(99);
  }

  // A name with a space stands for a pipe whose read end is closed.
  int open_output(const std::string& name) const {
    int ends[2];
    if (name.find(' ') == std::string::npos)
      return open((folder / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    return pipe(ends) == 0 && close(ends[0]) == 0 ? ends[1] : -1;
  }

  outcome wait() {
    int status = 0;
    waitpid(pid, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, folder.read("out"), folder.read("err")};
  }

  // Waits at most 30 s until the run in the folder "run" has written a block.
  void wait_for_a_block() const {
    const auto has_a_block = [&] {
      return folder.read("run/run.ndjson").find("\"block\"") != std::string::npos;
    };
    for (int i = 0; i < 3000 && !has_a_block(); ++i) std::this_thread::sleep_for(10ms);
  }

  scratch_folder folder;
  fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "echobench";
  pid_t pid = 0;
};

inline std::ptrdiff_t lines_in(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The shortest possible run. Sanitizer builds need --allow-debug.
inline const words shortest{"run",
                            "--suite",
                            "quick",
                            "--rounds",
                            "1",
                            "--servers",
                            "floor/epoll,floor/epoll",
                            "--filter",
                            "c16/64",
                            "--output",
                            "run",
                            "--allow-debug"};
