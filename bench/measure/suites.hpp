// suites: what a run measures where nobody asks for anything else.
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
  std::chrono::milliseconds capacity_slice{100};  // of which an open loop takes its share
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
  bool injects = false;  // it ends with a row whose difference is known
};

const std::vector<suite>& all_suites();

// Throws usage_error that lists them.
const suite& find_suite(const std::string& name);

// The part whose scenarios suit these servers: the last one that has any on the same reactor, so
// that select gets what suits it.
const suite_part& part_for(const suite& chosen, const comparison& pair);

// An added server is compared with both.
const matchup& usual_matchup();

// The control compares it with itself, wherever a run has it.
inline constexpr const char* control_server = "fibers/epoll";

// What a run must find: a microsecond where it shows best, many messages and few in one wait.
inline constexpr const char* slowed_server = "fibers/epoll/inject1000ns";
inline constexpr const char* slowed_load = "c16/64";

}  // namespace bench
