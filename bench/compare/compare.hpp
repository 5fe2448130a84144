// compare: did CPU per message change from run to run?
//
//     auto change = compare_runs({"runs/before", "runs/after/report.json"}, 0.03);
//     print_comparison(stdout, change, style);
//     return exit_code_of(change.result);
//
// Two runs are not paired and machines drift, so compare uses each server's ratio to an anchor from
// the same blocks (see anchored.hpp). Of three or more runs, oldest first, the first is compared
// with the last, and the history shows where in between a ratio changed.
#pragma once

#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <bench/compare/gate.hpp>
#include <bench/compare/history.hpp>
#include <bench/report/report.hpp>
#include <bench/statistics/statistics.hpp>

namespace bench {

// One server in one scenario, in the first and the last run.
struct change_row {
  std::string scenario;
  std::string server;
  std::string anchor;
  int blocks_before = 0;
  int blocks_after = 0;
  double ratio_before = 1;  // CPU per message, server / anchor
  double ratio_after = 1;
  double change = 0;  // ratio_after / ratio_before - 1
  interval range;     // of the change; Welch, 95 %
  double p = 1;       // of "no change"; Welch, two-sided
  double holm_p = 1;  // `p` after Holm's correction over all rows
  // Of "the change is at most the gate"; Welch, one-sided, with Holm's correction. Below half of
  // `significance`, `range` lies above the gate.
  double gate_p = 1;
  double cpu_ns_before = 0;
  double cpu_ns_after = 0;
  gate_result gate = gate_result::none;
  std::string words;
};

struct run_comparison {
  std::vector<std::string> runs;  // as the caller named them, oldest first
  std::vector<change_row> rows;
  std::vector<history_row> history;  // empty below three runs
  // Between the first and the last run. Empty: raw numbers may be compared too.
  std::vector<std::string> machine_differences;
  std::vector<std::string> notes;  // what is missing, and the caveats of the runs, as sentences
  std::vector<std::string> gate_caveats;  // why a gate could neither pass nor fail, as sentences
  std::optional<double> gate;             // largest accepted change from the first to the last run
  gate_result result = gate_result::none;
};

// The runs are readable but have nothing in common to compare, or one of them is void: exit code 3.
struct nothing_to_compare : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Compares two or more runs, each given as a run folder, a run.ndjson, a run.ndjson.gz or a
// report.json. `gate` is a fraction: 0.03 for 3 %. Throws unreadable_run (exit code 2) or
// nothing_to_compare (exit code 3).
run_comparison compare_runs(const std::vector<std::filesystem::path>& runs,
                            std::optional<double> gate = std::nullopt);

std::string comparison_text(const run_comparison& change, const style& given);
std::string comparison_markdown(const run_comparison& change);
void print_comparison(std::FILE* out, const run_comparison& change, const style& shown);

}  // namespace bench
