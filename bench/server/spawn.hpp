// spawn: starts a program as a child process that leads a process group of its own.
//
//     auto child = spawn({"/usr/bin/my_echo", "--port", "7"}, 0, output, errors, "MARK=1");
//     if (child.reason != 0) ...    // it has exited already and must be reaped
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace bench {

// `reason` is 0, errno of exec(), or negated errno of pinning the child to `cpu`.
struct spawned {
  pid_t pid = -1;
  int reason = 0;
};

// The kernel kills the child when the calling thread dies, and the keeper kills its process group
// when this process dies. `output` and `errors` become its standard output and error, and `input`
// its standard input; -1: nothing can be read there. `mark` is a "NAME=value" that is added to its
// environment. Throws run_invalid if there can be no pipe or no process.
spawned spawn(const std::vector<std::string>& words, std::optional<int> cpu, int output, int errors,
              const std::string& mark, int input = -1);

}  // namespace bench
