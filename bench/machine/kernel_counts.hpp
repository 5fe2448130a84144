// kernel counts: what a process asked of the kernel while it was watched.
//
//     kernel_counts watched{server.family()};
//     ...                                    // load
//     watched.system_calls();                // of all threads; absent: not permitted
//     watched.context_switches();
//
// System calls are counted by the kernel's own tracepoint raw_syscalls:sys_enter through
// perf_event_open(2). Where that is not permitted, or tracefs may not be read (by default only root
// may), there is a reason instead. Counting costs time in each call, so it is no part of a block
// that decides cost.
#pragma once

#include <sys/types.h>

#include <bench/contract/descriptor.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bench {

class kernel_counts {
 public:
  // Counts from now on, for the threads that are there and those that they will start.
  explicit kernel_counts(const std::vector<pid_t>& processes);

  std::optional<std::int64_t> system_calls() const;

  // By waiting or by force, of the threads that are still there.
  std::int64_t context_switches() const;

  // Why there are no system calls to tell; empty where there are.
  const std::string& reason() const { return reason_; }

 private:
  std::vector<pid_t> threads_;
  std::int64_t switches_before_ = 0;
  std::vector<descriptor> counters_;  // one a thread
  std::string reason_;
};

}  // namespace bench
