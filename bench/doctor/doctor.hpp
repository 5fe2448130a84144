// doctor: what of this machine would spoil a measurement, and what changes it.
//
//     for (const auto& each : examine("/", ask_kernel(pin, "runs"))) print(each);
//     // advice  turbo  on   the level wanders with heat ...   change: echo 1 > ...
//
// What stands in files is read below a root, which in the tests is a folder of their own; what only
// the running kernel can say is asked before.
#pragma once

#include <bench/machine/machine.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bench {

enum class health {
  ok,
  advice,   // the run is valid, and would be better
  problem,  // the run would be refused, or its numbers would not be those of the servers
};

struct remark {
  health state = health::ok;
  std::string about;   // "governor"
  std::string read;    // what was found
  std::string means;   // for a measurement
  std::string remedy;  // the command or setting that changes it; empty: nothing need change
};

// What was tried, not read. An error is an errno, 0 where it is permitted.
struct kernel_answers {
  std::vector<int> allowed;                // processors this process may run on
  std::optional<pinning> pins;             // absent: server and client share a processor
  std::optional<std::string> pin_refusal;  // why the pins could not be had
  double foreign_cpu_share = 0;            // of the servers' processor, over a second
  double steal_share = 0;
  int descriptors = 0;  // that this process may have open
  int guard_error = 0;
  int io_uring_error = 0;
  std::string tracepoint_refusal;  // why system calls cannot be counted; empty: they can
  std::uintmax_t disk_bytes = 0;   // free where the run would be written
  bool debug_build = false;
};

// Takes a second, in which it looks who else uses the servers' processor. `pin` is as for `run`,
// `output` where a run would be written.
kernel_answers ask_kernel(const std::string& pin, const std::filesystem::path& output);

// Every finding, good ones too, in the order in which they are best put right.
std::vector<remark> examine(const std::filesystem::path& root, const kernel_answers& answers);

// One line, without the newline.
std::string text_of(const remark& said);

bool measurable(const std::vector<remark>& remarks);

}  // namespace bench
