// outcome: what `echobench load` found, as a record that other programs read.
//
//     load_outcome found{.target = "127.0.0.1:25000", .load = shape, .measured = sample};
//     replace_file("load.json", outcome_json(found));
//
// docs/method.md lists the members of the JSON object. Each name ends in its unit.
#pragma once

#include <array>
#include <bench/load/expectation.hpp>
#include <bench/load/find_rate.hpp>
#include <bench/load/sample.hpp>
#include <bench/record/scenario.hpp>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

enum class load_end { complete, interrupted, failed };

enum class load_error { wrong_reply, connection_lost, no_answer, cannot_connect, other };

// What ended a load: its first error, since nothing that comes after can be believed.
struct load_failure {
  load_error kind;
  std::string text;
};

load_failure failure_of(const std::exception& error);

// Throws the exception that failure_of() was given, or one of its kind.
[[noreturn]] void throw_again(const load_failure& failure);

struct judged_expectation {
  expectation wanted;
  double measured;
  bool holds() const { return wanted.holds(measured); }
};

struct searched_rate {
  expectation limit;
  rate_search search;
};

struct load_outcome {
  std::string target;
  scenario load;
  int threads = 1;  // of the client
  bool tls = false;
  std::string prefix;
  load_sample measured;  // empty if `search` is set
  load_end end = load_end::complete;
  std::optional<load_failure> failure = {};
  std::vector<judged_expectation> expectations = {};
  std::optional<searched_rate> search = {};
  std::vector<load_host> hosts = {};  // from which the load came; empty: from this process

  bool all_hold() const;
};

// The percentiles that are shown; 100 is the maximum.
inline constexpr std::array shown_percents{50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0};

// One percentile in microseconds. nullopt: there are too few values; see enough_for().
std::optional<double> percentile_us(const histogram& times, double percent);

// Like percentile_us() of the latency; infinite as in load_sample::response_ns().
std::optional<double> response_us(const load_sample& sample, double percent);

std::string outcome_json(const load_outcome& found);

// "server", "client", "latency" or "none_met".
std::string_view word_of(rate_limiter limit);

}  // namespace bench
