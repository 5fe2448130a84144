// test_bed: starts servers and loads them from one client; an interface with a real and a fake
// implementation.
//
//     bed.launch({"asio-callback/epoll", "fibers/epoll"}, scenario);   // checks every byte once
//     bed.load({0, 1}, 80ms);                      // warm-up; 0 and 1: indices into the above
//     auto slices = bed.load({0, 1}, 200ms);       // one slice per server
//     auto disturbance = bed.finish();             // all servers have stopped
//
// The runner decides what is loaded when. The live test bed loads real servers; the tests use one
// that records the calls, without sockets and without a clock.
#pragma once

#include <bench/record/record.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What other processes used between the first load and finish(), as shares 0..1 of the servers' CPU
// (not pinned: of all CPUs) and of the client's CPU. `steal_share` is the hypervisor's steal time.
struct disturbance {
  double foreign_cpu_share = 0;
  double steal_share = 0;
  std::optional<double> client_foreign_share{};  // absent: the client has no CPU of its own
};

// How a server presents itself: the key=value pairs of its listening line, and its prefix.
struct introduction {
  std::map<std::string, std::string> announced;
  std::string prefix;
  bool listens_itself = true;  // false: none of the processes started for it listens
};

class test_bed {
 public:
  using duration = std::chrono::nanoseconds;

  virtual ~test_bed() = default;

  // Time since an arbitrary fixed moment. Never decreases.
  virtual duration now() = 0;

  // Starts a server, has it answer once and stops it. Throws not_available if it cannot be started
  // here.
  virtual introduction introduce(const std::string& server) = 0;

  // Measures the server's memory at each of these numbers of connections. Stops early at a number
  // that the server cannot reach. If the server dies, appends a caveat.
  virtual std::vector<memory_sample> measure_memory(const std::string& server,
                                                    const std::vector<int>& connections,
                                                    std::vector<caveat>& caveats_found) = 0;

  // Loads one server alone and counts its system calls and context switches meanwhile.
  virtual kernel_sample count_calls(const std::string& server, const scenario& shape,
                                    duration warm_up, duration length) = 0;

  // Starts the servers in this order, connects to them, and checks every byte of one first pass.
  virtual void launch(const std::vector<std::string>& servers, const scenario& shape) = 0;

  // Loads these launches and no others, in a closed loop. If the previous call loaded the same
  // ones, the load continues without a pause. The caller sets `server`, `launch` and `position` of
  // the slices.
  virtual std::vector<slice> load(const std::vector<std::size_t>& launches, duration length) = 0;

  // The same in an open loop: `per_second` messages per second are due from each launch, whether or
  // not earlier ones were answered.
  virtual std::vector<slice> load_at_rate(const std::vector<std::size_t>& launches,
                                          double per_second, duration length) = 0;

  // Waits for the outstanding replies and stops the servers. Returns the disturbance since the
  // first load.
  virtual disturbance finish() = 0;

  // Stops the servers that still run. Never throws.
  virtual void abandon() noexcept = 0;
};

}  // namespace bench
