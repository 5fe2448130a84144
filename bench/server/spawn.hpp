// spawn: a program becomes a child process, leader of a process group of its own.
//
//     auto child = spawn({"/usr/bin/my_echo", "--port", "7"}, 0, output.get(), errors.get());
//     if (child.reason != 0) ...    // it has ended already and waits to be reaped
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace bench {

// What became of it: 0, the error of exec, or the negative error of pinning it to `cpu`.
struct spawned {
  pid_t pid = -1;
  int reason = 0;
};

// The kernel kills it when this thread dies, and the keeper its group when this process does. Its
// standard output and error are these two descriptors. Throws run_invalid where there can be no
// process at all.
spawned spawn(const std::vector<std::string>& words, std::optional<int> cpu, int output,
              int errors);

}  // namespace bench
