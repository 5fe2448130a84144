// runner: rounds of blocks, from a plan to a record.
//
//     auto end = run_rounds(plan, bed, listener);   // the listener writes it down and shows it
//
// Rounds are the outer loop and every block is written down when it ends: whenever a run is
// interrupted, what it has is balanced and valid.
#pragma once

#include <bench/measure/schedule.hpp>
#include <bench/measure/test_bed.hpp>
#include <bench/record/record.hpp>

namespace bench {

// Who is told while a run goes on.
class run_listener {
 public:
  virtual ~run_listener() = default;
  virtual void on_memory(const memory_sample&) {}
  virtual void on_caveat(const caveat&) {}
  virtual void on_kernel(const kernel_sample&) {}
  virtual void on_block_kept(const block&) {}  // it was measured before an interruption
  virtual void on_block_starts(const planned_block&) {}
  virtual void on_block(const block&) {}
  virtual void on_round_ends(int /*round*/) {}
  virtual void on_budget_spent(int /*rounds_done*/) {}
};

// So many rounds of the plan begin before its budget is spent, if each takes what is expected.
int rounds_in_budget(const run_plan& plan);

// Measures one block; the servers are stopped when it returns or throws.
block measure_block(const planned_block& planned, const block_timing& timing, test_bed& bed);

// Memory and system calls, then the rounds, without what `begun` holds already. `interrupted` comes
// out as run_end::interrupted, without the block that was going on; every other exception as
// itself.
run_end run_rounds(const run_plan& plan, test_bed& bed, run_listener& listener,
                   const run_record& begun = {});

}  // namespace bench
