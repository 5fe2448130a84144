// schedule: the blocks of a plan in order, and how long each of them takes.
//
//     for (const auto& block : blocks_of_round(plan, 0)) ...   // shuffled, seeded
#pragma once

#include <bench/measure/plan.hpp>
#include <bench/record/record.hpp>
#include <chrono>
#include <string>
#include <vector>

namespace bench {

struct planned_block {
  block_kind kind = block_kind::duet;
  int round = 0;
  bool control = false;
  bench::scenario scenario;
  bench::comparison comparison;
  std::string order;  // the letters of block::order in record.hpp
};

// The planned block that `measured` is the result of.
planned_block plan_of(const block& measured);

// Which servers' system calls are counted, and under which loads: every closed loop of the plan,
// without targets and servers with an injected delay.
struct planned_count {
  std::string server;
  bench::scenario scenario;
};
std::vector<planned_count> counts_of(const run_plan& plan);

// True if the memory per connection of this server is measured. False for a server with an injected
// delay, which runs only as a control.
bool is_weighed(const server_info& server);

// The order in which the servers of a duet start. Over six rounds each of the three is first
// equally often and precedes each other one equally often (counterbalancing).
std::string duet_order(int round, bool with_floor);

// The blocks of all pairings, shuffled with a generator seeded by plan.seed and `round`.
std::vector<planned_block> blocks_of_round(const run_plan& plan, int round);

// Expected durations, with launching and connecting.
std::chrono::milliseconds expected_duration(const planned_block& block, const block_timing& timing);
std::chrono::milliseconds expected_memory_duration(const run_plan& plan);
std::chrono::milliseconds expected_counting_duration(const run_plan& plan);
std::chrono::milliseconds expected_duration(const run_plan& plan);

// One suite that --suite accepts.
struct suite_summary {
  std::string name;
  std::string purpose;
  std::chrono::milliseconds expected;
};
std::vector<suite_summary> suite_summaries();

}  // namespace bench
