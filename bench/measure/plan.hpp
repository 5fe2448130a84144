// plan: what a run will measure, decided before anything starts.
//
//     auto plan = plan_run({.suite = "quick", .filter = "select"});
//
// A plan is data: `run --list` prints it, and the tests read it without a server.
#pragma once

#include <bench/measure/suites.hpp>
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

// Throws usage_error that names what was asked and what there is.
run_plan plan_run(const run_request& request);

// For a server that this machine or build does not have: what needs it goes, and the plan says so.
// Throws run_invalid where nothing is left.
void leave_out(run_plan& plan, const std::string& server, const std::string& reason);

// Whether it is one of these servers that runs already and was not started here.
bool is_target(const std::string& name, const std::vector<server_info>& known);

// How many servers a block of that kind starts: in a duet the floor rides along.
int servers_in(block_kind kind, const comparison& pair);

}  // namespace bench
