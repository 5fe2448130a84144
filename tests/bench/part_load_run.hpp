// part_load_run: a synthetic run whose first pair was also measured at 10, 30, 50 and 80 % of the
// full rate. At a low rate a message costs both servers more.
//
//     auto record = part_load_run({.rounds = 10});
#pragma once

#include <bench/record/record.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <fmt/format.h>

#include <tests/bench/synthetic_run.hpp>

// An exclusive block as it would be at a part of the full rate, which is 40,000 per second here.
inline bench::block at_percent(bench::block measured, int percent, double noise,
                               std::mt19937& random) {
  std::normal_distribution<double> normal;
  measured.kind = bench::block_kind::open_loop;
  measured.scenario = bench::scenario::parse(fmt::format("c64/512/r{}%", percent));
  for (auto& each : measured.slices) {
    const double rate = 400.0 * percent;
    const double cost = *each.cpu_ns / static_cast<double>(each.messages) * (1 + 30.0 / percent);
    each.messages = static_cast<std::int64_t>(rate * each.seconds);
    each.checked = each.messages;
    each.cpu_ns = cost * std::exp(noise * normal(random)) * static_cast<double>(each.messages);
    each.open_loop = bench::open_loop_times{.rate_per_second = rate,
                                            .due = each.messages,
                                            .service_p50_us = each.p50_us,
                                            .service_p90_us = each.p90_us,
                                            .service_p99_us = each.p99_us,
                                            .late_p99_us = 3,
                                            .service = each.latency};
  }
  return measured;
}

inline bench::run_record part_load_run(synthetic_truth truth = {}) {
  truth.open_loop = false;
  auto record = synthetic_run(truth);
  std::mt19937 random{truth.seed};
  const auto& first = record.header.comparisons.front();
  const std::vector<int> percents{80, 10, 50, 30};
  const auto once = record.blocks;
  for (const auto& each : once)
    if (each.kind == bench::block_kind::exclusive && each.scenario.text() == "c64/512" &&
        each.comparison == first)
      for (const int percent : percents)
        record.blocks.push_back(at_percent(each, percent, truth.exclusive_noise, random));
  for (const int percent : percents)
    record.header.scenarios.push_back(bench::scenario::parse(fmt::format("c64/512/r{}%", percent)));
  return record;
}
