// suites: what each --suite measures unless options ask for something else.
//
//     const auto& quick = find_suite("quick");
//     quick.parts.front().scenarios                  // c16/64, c64/512
#pragma once

#include <bench/record/record.hpp>
#include <chrono>
#include <string>
#include <vector>

namespace bench {

struct block_timing {
  std::chrono::milliseconds duet_warm_up{80};
  std::chrono::milliseconds duet_slice{200};
  int duet_slices = 2;
  std::chrono::milliseconds exclusive_settling{30};
  std::chrono::milliseconds exclusive_slice{200};
  std::chrono::milliseconds counting_slice{60};
  // A server that may be slow at first is loaded alone until so many slices in a row were not
  // faster than those before them by more than a twentieth.
  std::chrono::milliseconds warming_slice{50};
  int warm_slices = 4;
  std::chrono::milliseconds longest_warming{2000};
  // Measures the throughput of which an open loop takes a share.
  std::chrono::milliseconds capacity_slice{100};
  // At a low rate an open loop has few messages in a slice, and the CPU per message of few wanders.
  std::chrono::milliseconds longest_slice{800};
  // What each slice takes besides: hosts agree on a beginning, and load for a moment before and
  // after it.
  std::chrono::milliseconds around_a_slice{0};

  // Of a server loaded alone. Below half of the full rate it grows as the rate falls, so that the
  // number of messages stays, up to longest_slice.
  std::chrono::milliseconds slice_alone(const scenario& load) const;
};

struct matchup {
  std::string contender;
  std::string base;
};

struct suite_part {
  std::vector<matchup> matchups;
  std::vector<std::string> scenarios;
};

struct suite {
  std::string name;
  std::string purpose;
  int rounds;
  std::chrono::seconds budget;
  block_timing timing;
  std::vector<suite_part> parts;
  std::vector<int> memory_connections{16, 256, 1024};
  bool injects = false;  // ends with a control row, whose injected delay is known
};

const std::vector<suite>& all_suites();

// Throws usage_error, which lists the suites.
const suite& find_suite(const std::string& name);

// The part whose scenarios suit this pair: the last one of echoes with a matchup on the same
// reactor, so that select gets the short list. The first part if none has.
const suite_part& part_for(const suite& chosen, const comparison& pair);

// A server added by --server is compared with both of these.
const matchup& usual_matchup();

// The server that the A/A control compares with itself, in every run that measures it.
inline constexpr const char* control_server = "fibers/epoll";

// The control with a known difference: 1,000 ns of CPU injected per message. A run must find it.
// It has the load of the headline, whose nanoseconds it calibrates.
inline constexpr const char* slowed_server = "fibers/epoll/inject1000ns";
inline constexpr const char* slowed_load = headline_scenario;

}  // namespace bench
