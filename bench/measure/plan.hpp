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
  std::vector<std::string> scenarios{};  // empty: those of the suite
  // The first is the base of all others; empty: those of the suite.
  std::vector<std::string> servers;
  std::vector<std::string> added{};    // name=command
  std::vector<std::string> targets{};  // host:port or name=host:port
  // Another build, with whose servers those of this one are compared; empty: none.
  std::string against{};
  std::string filter;  // a regular_expression on the rows; empty: every row
  std::optional<int> rounds;
  std::uint64_t seed = 1;
  bool until_sure = false;
  bool from_hosts = false;           // the load comes from several, so each slice takes longer
  std::optional<int> descriptors{};  // how many this process may have open; absent: no limit
};

// One row of the report: two servers under one load.
struct pairing {
  bench::scenario scenario;
  bench::comparison comparison;
  bool control = false;
  bool duet = true;  // false for unlike reactors: they disturb each other on one CPU
  bool exclusive = true;
  bool open_loop = false;  // a row with an open loop has neither duets nor exclusive blocks
};

struct run_plan {
  std::string suite;
  std::uint64_t seed = 1;
  int rounds = 0;
  bool until_sure = false;  // it may end after fewer rounds, when it knows enough
  // A round that would not end within it does not begin. It is that of the suite, or longer where
  // options ask for rows that take longer than those of the suite.
  std::optional<std::chrono::seconds> budget;
  block_timing timing;
  std::vector<server_info> servers;
  std::vector<pairing> pairings;
  std::vector<int> memory_connections;
  std::vector<caveat> left_out;  // what was asked for but is impossible here, with the reason

  // With the command of each load that wants another program: "fibers_echo ...; fibers_http ...".
  std::vector<server_info> servers_as_started() const;
  // The load of the first row, as small as it can be: to meet the servers, and to weigh them.
  scenario smallest_load() const;
  std::vector<scenario> scenarios() const;
  std::vector<comparison> comparisons() const;  // without that of the control
};

// Throws usage_error, which names what was asked for and what is available.
run_plan plan_run(const run_request& request);

// Removes a server that this machine or build does not have, and every pairing that needs it;
// records `reason` in `left_out`. Throws run_invalid if no pairing is left.
void leave_out(run_plan& plan, const std::string& server, const std::string& reason);

// True if `known` has a server of that name which runs already and is not started by this run.
bool is_target(const std::string& name, const std::vector<server_info>& known);

// How many servers a block of that kind starts: 3 in a duet with a floor, otherwise 2.
int servers_in(block_kind kind, const comparison& pair);

}  // namespace bench
