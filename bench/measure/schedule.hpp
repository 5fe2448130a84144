// schedule: the blocks of a plan in their order, and how long each will take.
//
//     for (const auto& block : blocks_of_round(plan, 0)) ...   // in a seeded random order
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
  std::string order;  // as in the record
};

// What a block that was measured had been planned as.
planned_block plan_of(const block& measured);

// Of which server under which load the system calls are counted: each closed loop of the plan.
struct planned_count {
  std::string server;
  bench::scenario scenario;
};
std::vector<planned_count> counts_of(const run_plan& plan);

// Whether the memory of its connections is asked: not of a server that is there to be found slower.
bool is_weighed(const server_info& server);

// Every pairing's blocks, shuffled by seed and round.
std::vector<planned_block> blocks_of_round(const run_plan& plan, int round);

// Launching and connecting included.
std::chrono::milliseconds expected_duration(const planned_block& block, const block_timing& timing);
std::chrono::milliseconds expected_memory_duration(const run_plan& plan);
std::chrono::milliseconds expected_counting_duration(const run_plan& plan);
std::chrono::milliseconds expected_duration(const run_plan& plan);

// What --suite accepts.
struct suite_summary {
  std::string name;
  std::string purpose;
  std::chrono::milliseconds expected;
};
std::vector<suite_summary> suite_summaries();

}  // namespace bench
