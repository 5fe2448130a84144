// compare: did it become dearer from run to run?
//
//     auto change = compare_runs({"runs/before", "runs/after/report.json"}, 0.03);
//     print_comparison(stdout, change, style);
//     return change.exit_code();
//
// Days are not paired and machines drift, so what is compared is each server's ratio to an anchor
// measured in the same blocks (see anchored.hpp). Of three runs and more, oldest first, the first
// is compared with the last, and the history shows where on the way it changed.
#pragma once

#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <bench/compare/history.hpp>
#include <bench/report/report.hpp>
#include <bench/statistics/statistics.hpp>

namespace bench {

enum class gate_result { none, passed, failed, inconclusive };

// One server in one scenario, in the first run and in the last.
struct change_row {
  std::string scenario;
  std::string server;
  std::string anchor;
  int blocks_before = 0;
  int blocks_after = 0;
  double ratio_before = 1;  // CPU per message, server / anchor
  double ratio_after = 1;
  double change = 0;  // ratio_after / ratio_before - 1
  interval range;     // of the change, Welch at 95 %
  double p = 1;       // of no change, Welch
  double holm_p = 1;  // the same after Holm's correction over all rows
  double gate_p = 1;  // of a change of at most the gate, one-sided, Welch and Holm: below half of
                      // `significance` the range lies above the gate
  double cpu_ns_before = 0;
  double cpu_ns_after = 0;
  gate_result gate = gate_result::none;
  std::string words;
};

struct run_comparison {
  std::vector<std::string> runs;  // as named by the caller, oldest first
  std::vector<change_row> rows;
  std::vector<history_row> history;              // of three runs and more
  std::vector<std::string> machine_differences;  // of the first and the last; empty: raw numbers
                                                 // may be compared
  std::vector<std::string> notes;                // what is missing, and caveats, in sentences
  std::vector<std::string> gate_caveats;         // why it neither passed nor failed, in sentences
  std::optional<double> gate;                    // of the first against the last
  gate_result result = gate_result::none;

  // 0 fine or no gate, 1 gate failed, 4 inconclusive under a gate.
  int exit_code() const;
};

// The runs can be read, but hold nothing that can be compared, or a run is void: exit 3.
struct nothing_to_compare : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Two runs or more, each a run folder, a run.ndjson or a report.json; `gate` is a fraction, 0.03
// for 3 %. Throws unreadable_run (exit 2) or nothing_to_compare (exit 3).
run_comparison compare_runs(const std::vector<std::filesystem::path>& runs,
                            std::optional<double> gate = std::nullopt);

// "3%", "3 %" or "3", as --gate takes it: 0.03. Throws std::invalid_argument that says what is
// accepted.
double parse_percentage(std::string_view text);

std::string comparison_text(const run_comparison& change, const style& shown);
std::string comparison_markdown(const run_comparison& change);
void print_comparison(std::FILE* out, const run_comparison& change, const style& shown);

}  // namespace bench
