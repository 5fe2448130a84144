// doctor: what on this machine would spoil a measurement, and how to change it.
//
//     fmt::print("{}", text_of(examine("/", ask_kernel(pin, "runs"))));
//     // advice   turbo           on: levels follow temperature and neighbours; ...
//     //          To change it: echo 1 > ...
//
// examine() reads files below `root`, so tests can use a folder of their own. What only the running
// kernel can answer is asked beforehand, by ask_kernel().
#pragma once

#include <array>
#include <bench/doctor/skew.hpp>
#include <bench/hosts/ranks/orders.hpp>
#include <bench/machine/machine.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bench {

enum class health {
  ok,
  advice,   // a run is valid, but would be better without this
  problem,  // a run would be refused, or would not measure the servers
};

struct remark {
  health state = health::ok;
  std::string about;   // "governor"
  std::string read;    // what was found
  std::string means;   // its meaning for a measurement
  std::string remedy;  // the command or setting that changes it; empty: nothing to change
};

// Answers that were found by trying. An error is an errno; 0: permitted.
struct kernel_answers {
  std::vector<int> allowed;                // CPUs that this process may run on
  std::optional<pinning> pins;             // absent: server and client are not pinned
  std::optional<std::string> pin_refusal;  // why pinning failed
  double foreign_cpu_share = 0;            // of the servers' CPU, over one second
  double steal_share = 0;
  int descriptors = 0;  // how many this process may have open
  int guard_error = 0;
  int io_uring_error = 0;
  std::string tracepoint_refusal;  // why system calls cannot be counted; empty: they can
  std::uintmax_t disk_bytes = 0;   // free space where the run would be written
  bool debug_build = false;
  std::array<sharing, steering_names.size()> by_steering;  // who gets connections
};

// Takes a second, during which it measures what other processes use of the servers' CPU. `pin` is
// as for `run`; `output` is where a run would be written.
kernel_answers ask_kernel(const std::string& pin, const std::filesystem::path& output);

// Every finding, good ones included, in the order in which it is best to fix them.
std::vector<remark> examine(const std::filesystem::path& root, const kernel_answers& answers);

// What would spoil a load from these hosts, and how far apart they begin.
std::vector<remark> examine_hosts(const std::vector<load_host>& hosts,
                                  const std::vector<generator_description>& generators);

// A remark in lines of at most 80 columns; a longer word is broken.
std::string text_of(const remark& said);

// All of them: problems first, then advice, then what is well.
std::string text_of(std::vector<remark> remarks);

bool measurable(const std::vector<remark>& remarks);

}  // namespace bench
