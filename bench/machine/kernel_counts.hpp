// kernel_counts: counts the system calls and context switches of processes.
//
//     kernel_counts watched{server.family()};
//     ...                                    // load the server
//     watched.system_calls();                // of all threads; nullopt: not permitted
//     watched.context_switches();
//
// perf_event_open(2) counts system calls at the tracepoint raw_syscalls:sys_enter. If that is not
// permitted, or if tracefs is not readable (by default only for root), reason() says so. Counting
// makes each system call slower, so it never runs in a block that decides CPU per message.
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
  // Counts from now on, for the existing threads of these processes and for threads they start
  // later.
  explicit kernel_counts(const std::vector<pid_t>& processes);

  std::optional<std::int64_t> system_calls() const;

  // Voluntary and involuntary switches of the threads that existed at construction and still exist.
  std::int64_t context_switches() const;

  // Why system calls cannot be counted; empty: they can.
  const std::string& reason() const { return reason_; }

 private:
  std::vector<pid_t> threads_;
  std::int64_t switches_before_ = 0;
  std::vector<descriptor> counters_;  // one per thread
  std::string reason_;
};

}  // namespace bench
