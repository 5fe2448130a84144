// gate: whether CPU per message rose by more than is accepted, as an exit code for a CI.
//
//     const auto judged = judge_gate(analyse(record), 0.03);     // servers of one run
//     for (const auto& each : judged.reasons) fmt::print("{}\n", each);
//     return exit_code_of(judged.result);
//
//     judge_gate(model, rows, 0.03).result                       // one run after others
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/compare/between_runs.hpp>
#include <bench/statistics/statistics.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

enum class gate_result { none, passed, failed, inconclusive };

// 0: passed or no gate; 1: failed; 4: inconclusive.
int exit_code_of(gate_result result);

// "passed", "FAILED", or "inconclusive, neither passed nor failed".
std::string_view word_of(gate_result result);

// `change` as a fraction: 0.03 for 3 % more. Fails if all of it lies above the gate, passes if all
// of it lies below.
gate_result gate_of(const interval& change, double gate);

// Failed if any is, else inconclusive if any is.
gate_result all_of(const std::vector<gate_result>& results);

// Why a run can neither pass nor fail a gate, whatever its numbers say: noise of grade D, or a
// debug build. Sentences; empty: it can.
std::vector<std::string> why_no_gate(const results& found);

struct run_gate {
  gate_result result = gate_result::inconclusive;
  std::vector<std::string> reasons;  // a sentence per pair of servers, or why there is no answer
};

// Whether the contenders of one run use more CPU per message than their bases, over all loads, by
// more than `gate`. A control whose cost is injected does not count. Where the run has left out a
// server or a load, it does not pass.
run_gate judge_gate(const results& found, double gate);

// What a gate says of a run after earlier ones: of the mean change over all rows of CPU per
// message.
struct compare_gate {
  double limit = 0;  // the largest accepted change; this and all that follow as a fraction
  double change = 0;
  double at_least = 0;               // with 90 % certainty
  double at_most = 0;                // with 95 %
  std::vector<std::string> reasons;  // why it failed or could neither pass nor fail, as sentences
};

// It passes where `at_most` is below the gate, and fails where `at_least` is above. It also fails
// where one row by itself is above with 95 % certainty, corrected for their number: `above` are the
// indices of these.
struct gate_judgement {
  gate_result result = gate_result::inconclusive;
  double change = 0;
  double at_least = 0;
  double at_most = 0;
  std::vector<std::size_t> above;
};

// `limit` is a fraction; there must be a row.
gate_judgement judge_gate(const between_runs& model, const std::vector<row_in_runs>& rows,
                          double limit);

// "Gate 3.0 %: passed; CPU per message +0.4 % over all loads: at least -0.5 % (90 % sure), at most
// +1.5 % (95 % sure)"
std::string gate_text(const compare_gate& gate, gate_result result);

// The value of --gate as a fraction: "3%", "3 %" and "3" are 0.03. Throws std::invalid_argument,
// which says what is accepted.
double parse_percentage(std::string_view text);

}  // namespace bench
