// runner: measures the rounds of a plan, block by block.
//
//     auto end = run_rounds(plan, bed, listener);   // the listener records and shows each block
//
// The outer loop is over rounds, and each block is recorded when it ends. So an interrupted run is
// still balanced: every pairing has as many blocks as the others, give or take one.
#pragma once

#include <bench/measure/schedule.hpp>
#include <bench/measure/test_bed.hpp>
#include <bench/record/record.hpp>
#include <functional>
#include <vector>

namespace bench {

// Receives the events of a run while it goes on.
class run_listener {
 public:
  virtual ~run_listener() = default;
  virtual void on_memory(const memory_sample&) {}
  virtual void on_caveat(const caveat&) {}
  virtual void on_kernel(const kernel_sample&) {}
  virtual void on_block_kept(const block&) {}  // a resumed run has this one already
  virtual void on_block_starts(const planned_block&) {}
  virtual void on_block(const block&) {}
  virtual void on_round_ends(int /*round*/) {}
  virtual void on_budget_spent(int /*rounds_done*/) {}
  virtual void on_enough(int /*rounds_done*/) {}
};

// Whether the blocks measured so far suffice for a run that ends when it is sure. It is asked after
// each round.
using sufficiency = std::function<bool(const std::vector<block>& so_far)>;

// How many rounds of the plan begin before its budget is spent, if each takes the expected time. At
// least 1.
int rounds_in_budget(const run_plan& plan);

// Measures one block; the servers are stopped when it returns or throws.
block measure_block(const planned_block& planned, const block_timing& timing, test_bed& bed);

// Measures memory and system calls, then the rounds; skips what `begun` holds already. Where the
// plan allows fewer rounds, it ends when `is_enough` says so. On
// `interrupted` it drops the unfinished block and returns run_end::interrupted. Every other
// exception propagates.
run_end run_rounds(const run_plan& plan, test_bed& bed, run_listener& listener,
                   const run_record& begun = {}, const sufficiency& is_enough = {});

}  // namespace bench
