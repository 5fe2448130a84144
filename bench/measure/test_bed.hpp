// test bed: servers that run, and a client that loads them.
//
//     bed.launch({"asio-callback/epoll", "fibers/epoll"}, scenario);   // fresh, every byte checked
//     bed.load({0, 1}, 80ms);                      // warm-up; launches are numbered as above
//     auto slices = bed.load({0, 1}, 200ms);       // one for each
//     auto disturbance = bed.finish();             // nothing runs any more
//
// The runner decides when and in which order; the live test bed does it, and in the tests one that
// only takes notes, without a socket or a clock.
#pragma once

#include <bench/record/record.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What others took of the servers' processor, and of the client's, between the first load and the
// end.
struct disturbance {
  double foreign_cpu_share = 0;
  double steal_share = 0;
  std::optional<double> client_foreign_share{};  // absent: it has none of its own
};

// How a server presents itself: its listening line, and what stands before its replies.
struct introduction {
  std::map<std::string, std::string> announced;
  std::string prefix;
  bool listens_itself = true;  // false: who answers is none of the processes started for it
};

class test_bed {
 public:
  using duration = std::chrono::nanoseconds;

  virtual ~test_bed() = default;

  // Time since some moment in the past.
  virtual duration now() = 0;

  // Starts a server, has it answer once and stops it.
  virtual introduction introduce(const std::string& server) = 0;

  // Memory at each of these numbers of connections; ends early at a number it cannot reach. One at
  // which it dies is a caveat.
  virtual std::vector<memory_sample> measure_memory(const std::string& server,
                                                    const std::vector<int>& connections,
                                                    std::vector<caveat>& caveats_found) = 0;

  // Loads one server alone and counts what it asks of the kernel meanwhile.
  virtual kernel_sample count_calls(const std::string& server, const scenario& shape,
                                    duration warm_up, duration length) = 0;

  // Starts servers in this order, connects, and compares every byte of a first pass.
  virtual void launch(const std::vector<std::string>& servers, const scenario& shape) = 0;

  // Loads these launches and no other. What load() was at before goes on if it is the same. The
  // slices carry no `launch` of the record and no position: those are the caller's.
  virtual std::vector<slice> load(const std::vector<std::size_t>& launches, duration length) = 0;

  // The same in an open loop: so many messages a second are due from each.
  virtual std::vector<slice> load_at_rate(const std::vector<std::size_t>& launches,
                                          double per_second, duration length) = 0;

  // Lets what is due arrive and stops the servers.
  virtual disturbance finish() = 0;

  // Stops whatever still runs, and never throws.
  virtual void abandon() noexcept = 0;
};

}  // namespace bench
