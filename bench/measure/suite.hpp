// suite: what a run will measure, decided before anything starts.
//
//     auto plan = plan_run({.suite = "quick", .filter = "select"});
//     for (const auto& block : blocks_of_round(plan, 0)) ...   // in a seeded random order
//
// A plan is data: `run --list` prints it, and the tests read it without a server.
#pragma once

#include <bench/record/record.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct run_request {
  std::string suite = "default";
  std::vector<std::string> scenarios{};  // empty: the suite's
  std::vector<std::string> servers;      // the first is the base of every other; empty: the suite's
  std::vector<std::string> added{};      // name=command
  std::vector<std::string> targets{};    // host:port or name=host:port
  std::string filter;                    // a regular expression; empty: everything
  std::optional<int> rounds;
  std::uint64_t seed = 1;
  std::optional<int> descriptors{};  // how many may be open at once; absent: enough
};

struct block_timing {
  std::chrono::milliseconds duet_warm_up{80};
  std::chrono::milliseconds duet_slice{200};
  int duet_slices = 2;
  std::chrono::milliseconds exclusive_settling{30};
  std::chrono::milliseconds exclusive_slice{200};
  std::chrono::milliseconds counting_slice{60};
  std::chrono::milliseconds capacity_slice{100};  // of which an open loop takes its share
};

// One row of the report: two servers under one load.
struct pairing {
  bench::scenario scenario;
  bench::comparison comparison;
  bool control = false;
  bool duet = true;  // false for unlike reactors, which disturb each other on one core
  bool exclusive = true;
  bool open_loop = false;  // and then neither of the others: its load is not theirs
};

struct run_plan {
  std::string suite;
  std::uint64_t seed = 1;
  int rounds = 0;
  std::optional<std::chrono::seconds> budget;  // no further round begins that would not fit
  block_timing timing;
  std::vector<server_info> servers;
  std::vector<pairing> pairings;
  std::vector<int> memory_connections;
  std::vector<caveat> left_out;  // what was asked for and cannot be had here, and why

  std::vector<scenario> scenarios() const;
  std::vector<comparison> comparisons() const;  // without the control
};

struct planned_block {
  block_kind kind = block_kind::duet;
  int round = 0;
  bool control = false;
  bench::scenario scenario;
  bench::comparison comparison;
  std::string order;  // as in the record
};

// What a block that was measured had been planned as.
planned_block plan_of(const block& measured);

// Throws usage_error that names what was asked and what there is.
run_plan plan_run(const run_request& request);

// For a server that this machine or build does not have: what needs it goes, and the plan says so.
// Throws run_invalid where nothing is left.
void leave_out(run_plan& plan, const std::string& server, const std::string& reason);

// Of which server under which load the system calls are counted: each closed loop of the plan.
struct planned_count {
  std::string server;
  bench::scenario scenario;
};
std::vector<planned_count> counts_of(const run_plan& plan);

// What --suite accepts.
struct suite_summary {
  std::string name;
  std::string purpose;
  std::chrono::milliseconds expected;
};
std::vector<suite_summary> suite_summaries();

// Whether the memory of its connections is asked: not of who is there to be found dearer.
bool is_weighed(const server_info& server);

// Every pairing's blocks, shuffled by seed and round.
std::vector<planned_block> blocks_of_round(const run_plan& plan, int round);

// Launching and connecting included.
std::chrono::milliseconds expected_duration(const planned_block& block, const block_timing& timing);
std::chrono::milliseconds expected_memory_duration(const run_plan& plan);
std::chrono::milliseconds expected_counting_duration(const run_plan& plan);
std::chrono::milliseconds expected_duration(const run_plan& plan);

}  // namespace bench
