// even_run: a simulated run of eleven rows, in which no server differs from another unless told so.
//
//     std::mt19937 random{7};
//     const auto found = bench::analyse(run_of({.spread = 0.02}, random));
#pragma once

#include <bench/record/record.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

struct even_run {
  double spread = 0.01;  // standard deviation of the blocks' log ratios
  int rounds = 10;
  double autocorrelation = 0;    // of the blocks of one row
  double difference = 0;         // of the first row: ln(contender / base)
  double others_difference = 0;  // of the second and fourth, the opposite of the third and fifth
  double common_difference = 0;  // of all rows
  double throughput_spread = 0.03;
  double throughput_difference = 0;
  double latency_spread = 0.05;  // of p50; that of p99 is four times as wide
  double common_throughput = 0;  // of all rows
  double common_latency = 0;
};

inline constexpr int even_rows = 11;

// The log ratios of one row's blocks: an autoregressive series.
inline std::vector<double> log_ratios(const even_run& of, double spread, std::mt19937& random) {
  std::normal_distribution<double> normal{0, spread};
  const double fresh = std::sqrt(1 - of.autocorrelation * of.autocorrelation);
  std::vector<double> logs{normal(random)};
  while (logs.size() < static_cast<std::size_t>(of.rounds)) {
    logs.push_back(of.autocorrelation * logs.back() + fresh * normal(random));
  }
  return logs;
}

inline bench::slice slice_of(const std::string& server, int launch, double cpu_ns, double speed = 1,
                             double p50_us = 100, double p99_us = 400) {
  bench::slice timed;
  timed.p50_us = p50_us;
  timed.p99_us = p99_us;
  timed.server = server;
  timed.launch = launch;
  timed.seconds = 0.2;
  timed.messages = static_cast<std::int64_t>(1e6 * speed);
  timed.cpu_ns = static_cast<double>(timed.messages) * cpu_ns;
  timed.client_utilisation = 0.5;
  return timed;
}

inline double difference_of(const even_run& truth, int row) {
  const double own = row == 0 ? truth.difference : 0;
  const double other = row > 4 || row == 0 ? 0 : truth.others_difference * (row % 2 == 1 ? 1 : -1);
  return own + other + truth.common_difference;
}

inline bench::run_record run_of(const even_run& truth, std::mt19937& random) {
  constexpr double cost_ns = 8'000;
  const std::string base = "asio-callback/epoll", contender = "fibers/epoll";
  bench::run_record record;
  record.end = bench::run_end::complete;
  for (int row = 0; row <= even_rows; ++row) {
    const bool control = row == even_rows;
    const auto logs = log_ratios(truth, truth.spread, random);
    const auto speeds = log_ratios(truth, truth.throughput_spread, random);
    const auto medians = log_ratios(truth, truth.latency_spread, random);
    const auto tails = log_ratios(truth, 4 * truth.latency_spread, random);
    for (int round = 0; round < truth.rounds; ++round) {
      bench::block each;
      each.round = round;
      each.control = control;
      each.scenario = bench::scenario::parse(fmt::format("c{}/64", row + 1));
      each.comparison = {base, control ? base : contender, {}};
      const auto at = static_cast<std::size_t>(round);
      const double ratio = std::exp(logs[at] + (control ? 0 : difference_of(truth, row)));
      each.slices = {slice_of(base, 0, cost_ns),
                     slice_of(each.comparison.contender, 1, cost_ns * ratio)};
      record.blocks.push_back(each);
      if (control) continue;
      const double speed = std::exp(speeds[at] + (row == 0 ? truth.throughput_difference : 0) +
                                    truth.common_throughput);
      each.kind = bench::block_kind::exclusive;
      const double p50 = std::exp(medians[at] + truth.common_latency);
      each.slices = {slice_of(base, 0, cost_ns),
                     slice_of(each.comparison.contender, 1, cost_ns * ratio, speed, 100 * p50,
                              400 * std::exp(tails[at]))};
      record.blocks.push_back(each);
    }
  }
  return record;
}
