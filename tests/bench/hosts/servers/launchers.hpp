// launchers: scripts that take the place of ssh, so that "another host" is this one.
//
//     const launchers in;                                   // a scratch folder
//     const bench::launcher shell{in.here()};               // ignores the name of the host
//     const bench::launcher lost{in.failing("No route to host", 255)};
//
// Each object sets a variable of the environment, which all that is started inherits; so left()
// finds it.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <bench/hosts/servers/orders.hpp>
#include <bench/server/family.hpp>
#include <bench/text/command_words.hpp>
#include <tests/scratch_folder.hpp>

class launchers {
 public:
  launchers() : mark_{"LAUNCHED_BY=" + folder_.path().string()} {
    setenv("LAUNCHED_BY", folder_.path().c_str(), 1);
  }
  ~launchers() { unsetenv("LAUNCHED_BY"); }
  launchers(const launchers&) = delete;
  launchers& operator=(const launchers&) = delete;

  std::string here() const { return script("here", "shift\nexec \"$@\""); }
  std::string failing(const std::string& words, int code) const {
    return script("failing", "echo '" + words + "' >&2\nexit " + std::to_string(code));
  }
  std::string silent() const { return script("silent", "exec sleep 60"); }
  // As ssh does: the program is not in the process group of the launcher.
  std::string apart() const { return script("apart", "shift\nexec setsid --fork --wait \"$@\""); }
  // Runs a program that differs by one byte from the one of this build.
  std::string of_another_build() const {
    const auto copy = folder_ / "another_build";
    std::filesystem::copy_file(bench::find_program(bench::servers_program), copy);
    std::ofstream{copy, std::ios::app} << 'x';
    return script("of_another_build", "exec " + copy.string());
  }

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  // The processes that were started since.
  std::vector<pid_t> processes() const { return bench::processes_with(mark_); }

  // The same. Waits up to three seconds until there is none.
  std::vector<pid_t> left() const {
    std::vector<pid_t> found;
    for (int i = 0; i < 300; ++i) {
      found = processes();
      if (found.empty()) return found;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return found;
  }

 private:
  std::string script(const std::string& name, const std::string& text) const {
    const auto path = folder_.write(name, "#!/bin/sh\n" + text + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path.string();
  }

  scratch_folder folder_;
  std::string mark_;
};
