// compare: did anything change from earlier runs to the last one?
//
//     auto change = compare_runs({"runs/a", "runs/b", "runs/after/report.json"}, 0.03);
//     print_comparison(stdout, change, style);
//     return exit_code_of(change.result);
//
// Two runs are not paired and machines drift, so compare uses each server's ratio to an anchor from
// the same run (see anchored.hpp). And runs of one program differ by more than their blocks say, so
// each interval has a part for that (see between_runs.hpp): the earlier runs should be of the same
// program, and from three on they tell how large that part is.
//
// All that is said of a difference holds at 5 % for the whole comparison, by Holm's correction over
// its rows and means.
#pragma once

#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <bench/compare/anchored.hpp>
#include <bench/compare/between_runs.hpp>
#include <bench/compare/gate.hpp>
#include <bench/report/report.hpp>
#include <bench/statistics/statistics.hpp>

namespace bench {

// after / before - 1.
struct judged_change {
  double change = 0;
  interval range;  // 95 %, for this one alone
  double p = 1;    // of "no change", two-sided
  double holm_p = 1;
  std::string words;
};

struct run_point {
  double ratio = 1;        // server / anchor
  double block_error = 0;  // standard error of its logarithm, by what the blocks say
  // CPU per message only: changed since the run before that has it; see mark_steps().
  bool stepped = false;
};

// One ratio in the earlier runs and in the last.
struct change_row {
  subject about;
  std::vector<std::optional<run_point>> points;  // one per run; absent: not measured
  double ratio_before = 1;                       // geometric mean of the earlier runs
  double ratio_after = 1;
  double before = 0;  // of the server, as measured: mean of the earlier runs
  double after = 0;
  judged_change judged;
};

// One server over all its loads.
struct mean_row {
  quantity what = quantity::cpu;
  std::string server;
  std::string anchor;
  int loads = 0;
  judged_change judged;
};

// By how much a ratio moves from run to run of the same programs.
struct quantity_spread {
  quantity what = quantity::cpu;
  run_spread spread;
};

struct run_comparison {
  std::vector<std::string> runs;  // as the caller named them, oldest first
  std::vector<change_row> rows;   // CPU per message first
  std::vector<mean_row> means;    // of what has two loads or more
  std::vector<quantity_spread> spreads;
  // Between an earlier run and the last. Empty: raw numbers may be compared too.
  std::vector<std::string> machine_differences;
  std::vector<std::string> notes;  // what is missing, and the caveats of the runs, as sentences
  std::optional<compare_gate> gate;
  gate_result result = gate_result::none;
};

// The runs are readable but have nothing in common to compare, one of them is void, or an earlier
// one is named twice: exit code 3.
struct nothing_to_compare : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Compares two or more runs, each given as a run folder, a run.ndjson, a run.ndjson.gz or a
// report.json. `gate` is a fraction: 0.03 for 3 %. Throws unreadable_run (exit code 2) or
// nothing_to_compare (exit code 3).
run_comparison compare_runs(const std::vector<std::filesystem::path>& runs,
                            std::optional<double> gate = std::nullopt);

// "from run to run of one program a ratio moves, as the 3 earlier runs show: CPU per message by 0.8
// %, ...": run_comparison::spreads as a sentence.
std::string spread_text(const run_comparison& change);

std::string comparison_text(const run_comparison& change, const style& given);
std::string comparison_markdown(const run_comparison& change);
std::string comparison_json(const run_comparison& change);  // on one line
std::string comparison_page(const run_comparison& change);  // one HTML file, without a script
void print_comparison(std::FILE* out, const run_comparison& change, const style& shown);

}  // namespace bench
