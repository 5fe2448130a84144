// family: process_family, a process and the processes it has started in its process group.
//
//     process_family family{pid};
//     family.count();          // looks which processes belong to it now
//     family.cpu_ns();         // the CPU time of all counted processes
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bench {

class process_family {
 public:
  process_family() = default;
  explicit process_family(pid_t leader) : leader_{leader} {}

  // The leader first, then the others; empty before the first count().
  const std::vector<pid_t>& members() const { return members_; }

  // Looks which processes belong to the family now; from now on these are its members. (A server
  // may start processes later, when clients connect.) False: since the last count a member has
  // ended or another process has begun, which may have ended too. A process that began and ended in
  // between is noticed if its parent waited for it. Where a member ignores SIGCHLD, nobody waits;
  // then any process or thread that began on the system makes the answer false. (A member that sets
  // SA_NOCLDWAIT instead is not found out.)
  bool count();

  // Process CPU time so far, in ns: all threads of all members that exist. Between two counts of
  // which the second is true, the difference is all the CPU time that the family used.
  double cpu_ns() const;

  // Sum of the members' PSS (proportional set size), in KiB. nullopt if the kernel does not tell.
  std::optional<double> pss_kib() const;

  // True if a member has a socket that listens on `port`, or if that cannot be found out.
  bool listens_on(std::uint16_t port) const;

 private:
  pid_t leader_ = -1;
  std::vector<pid_t> members_;
  pid_t newest_ = 0;  // the last PID of the system when the members were counted
  std::uint64_t faults_of_ended_ = 0;
};

// The processes whose environment holds `variable`, such as "NAME=value". A process inherits its
// environment, also one that leaves its process group and its session. A process that is just
// executing a program is waited for: it has no environment for an instant.
std::vector<pid_t> processes_with(const std::string& variable);

}  // namespace bench
