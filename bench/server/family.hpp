// process family: a process and what it has started, as long as that stays in its process group.
//
//     process_family family{pid};
//     family.count();          // who belongs to it now
//     family.cpu_ns();         // of all who were counted
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace bench {

class process_family {
 public:
  process_family() = default;
  explicit process_family(pid_t leader) : leader_{leader} {}

  // The leader first, then what it started; empty before the first count.
  const std::vector<pid_t>& members() const { return members_; }

  // A server may start processes of its own, some of them only when clients come. Those that are
  // there now count from now on. False: since they were counted last one of them has ended, or
  // another has begun, and it may have ended as well. (One that began and ended in between shows
  // only if it was waited for: not where SIGCHLD is ignored.)
  bool count();

  // Process CPU so far: all threads, all processes that were counted and are there. From one count
  // that is true to the next, it is all that they used.
  double cpu_ns() const;

  // Their share of the memory they use, in KiB; absent where the kernel does not tell.
  std::optional<double> pss_kib() const;

  // Whether one of them has a socket that listens on that port; true where that cannot be told.
  bool listens_on(std::uint16_t port) const;

 private:
  pid_t leader_ = -1;
  std::vector<pid_t> members_;
  pid_t newest_ = 0;  // number given by the system when they were counted
  std::uint64_t faults_of_ended_ = 0;
};

}  // namespace bench
