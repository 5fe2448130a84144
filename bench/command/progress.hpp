// progress: shows on standard error how far a run is and how long it will take.
//
//     round  7/10  ███████████████████▏        70 %   elapsed 1:52  left 0:48   c256/64 exclusive
//
// On a terminal it redraws one line, and below it the forest plots of the blocks measured so far.
// Otherwise it prints a line at the end of each round.
#pragma once

#include <bench/measure/runner.hpp>
#include <bench/report/report.hpp>
#include <chrono>
#include <cstdio>
#include <string>

namespace bench {

class progress : public run_listener {
 public:
  progress(const run_plan& plan, std::FILE* out);
  ~progress() override { clear(); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void on_memory(const memory_sample& sample) override;
  void on_kernel(const kernel_sample& sample) override;
  void on_block_kept(const block& kept) override;
  void on_block_starts(const planned_block& starting) override;
  void on_block(const block& measured) override;
  void on_round_ends(int round) override;
  void on_budget_spent(int rounds_done) override;
  void on_enough(int rounds_done) override;

  // Erases the display, so that something else can be printed.
  void clear();

 private:
  using clock = std::chrono::steady_clock;
  using seconds = std::chrono::duration<double>;

  void draw(const std::string& what);
  void draw_forest();
  seconds left() const;

  const run_plan& plan_;
  std::FILE* out_;
  style style_;
  bool redraws_;
  clock::time_point start_ = clock::now();
  seconds expected_total_;
  seconds expected_done_{};  // expected time of what has been measured
  seconds expected_kept_{};  // of that, what was measured before the run was resumed
  seconds expected_now_{};   // expected time of the current block
  int round_ = 0;
  run_record so_far_;  // only its blocks are set, and whether it is watched
};

}  // namespace bench
