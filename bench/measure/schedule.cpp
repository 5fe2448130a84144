#include <bench/measure/schedule.hpp>

#include <algorithm>
#include <bench/server/catalogue.hpp>
#include <random>

namespace bench {
namespace {

using namespace std::chrono_literals;

// About how long a server takes to start, to listen, and to answer once on each of so many
// connections.
std::chrono::microseconds launch_time(int connections) {
  return 15ms + connections * 100us;
}

}  // namespace

std::string duet_order(int round, bool with_floor) {
  static const std::vector<std::string> three{"ABF", "FBA", "BFA", "AFB", "FAB", "BAF"};
  const auto turn = static_cast<std::size_t>(round);
  if (with_floor) return three[turn % three.size()];
  return turn % 2 == 0 ? "AB" : "BA";
}

std::vector<planned_block> blocks_of_round(const run_plan& plan, int round) {
  std::vector<planned_block> blocks;
  for (const auto& each : plan.pairings) {
    planned_block block;
    block.round = round;
    block.control = each.control;
    block.scenario = each.scenario;
    block.comparison = each.comparison;
    if (each.duet) {
      block.kind = block_kind::duet;
      block.order = duet_order(round, each.comparison.floor.has_value());
      blocks.push_back(block);
    }
    if (each.exclusive) {
      block.kind = block_kind::exclusive;
      block.order = round % 2 == 0 ? "ABBA" : "BAAB";
      blocks.push_back(block);
    }
    if (each.open_loop) {
      block.kind = block_kind::open_loop;
      block.order = round % 2 == 0 ? "ABBA" : "BAAB";
      blocks.push_back(block);
    }
  }
  std::seed_seq seeds{plan.seed, static_cast<std::uint64_t>(round)};
  std::mt19937_64 random{seeds};
  std::shuffle(blocks.begin(), blocks.end(), random);
  return blocks;
}

std::chrono::milliseconds expected_duration(const planned_block& block,
                                            const block_timing& timing) {
  const auto launches =
      servers_in(block.kind, block.comparison) * launch_time(block.scenario.all_connections());
  std::chrono::microseconds load =
      4 * (timing.exclusive_settling + timing.slice_alone(block.scenario));
  int slices = 8;
  if (block.kind == block_kind::duet) {
    load = timing.duet_warm_up + timing.duet_slices * timing.duet_slice;
    slices = 1 + timing.duet_slices;
  } else if (block.scenario.rate_percent > 0) {
    load += 2 * (timing.exclusive_settling + timing.capacity_slice);
    slices += 4;
  }
  load += slices * timing.around_a_slice;
  const auto& [base, contender, floor] = block.comparison;
  for (const auto& server : {base, contender})
    if (may_be_slow_at_first(server)) load += (1 + timing.warm_slices) * timing.warming_slice;
  return std::chrono::duration_cast<std::chrono::milliseconds>(launches + load);
}

std::chrono::milliseconds expected_memory_duration(const run_plan& plan) {
  if (plan.memory_connections.empty()) return 0ms;
  const auto each = 50ms + launch_time(plan.memory_connections.back());
  const auto weighed = std::count_if(plan.servers.begin(), plan.servers.end(), is_weighed);
  return std::chrono::duration_cast<std::chrono::milliseconds>(weighed * each);
}

bool is_weighed(const server_info& server) {
  return !injected_ns(server.name);
}

planned_block plan_of(const block& measured) {
  return {measured.kind,     measured.round,      measured.control,
          measured.scenario, measured.comparison, measured.order};
}

std::vector<planned_count> counts_of(const run_plan& plan) {
  std::vector<planned_count> counts;
  const auto add = [&](const std::string& server, const scenario& load) {
    const auto same = [&](const planned_count& each) {
      return each.server == server && each.scenario == load;
    };
    if (is_target(server, plan.servers) || injected_ns(server)) return;
    if (std::none_of(counts.begin(), counts.end(), same)) counts.push_back({server, load});
  };
  for (const auto& each : plan.pairings) {
    if (each.open_loop) continue;
    add(each.comparison.base, each.scenario);
    add(each.comparison.contender, each.scenario);
    if (each.comparison.floor && each.duet) add(*each.comparison.floor, each.scenario);
  }
  return counts;
}

std::chrono::milliseconds expected_counting_duration(const run_plan& plan) {
  std::chrono::microseconds total{};
  for (const auto& each : counts_of(plan)) {
    total += launch_time(each.scenario.all_connections()) + plan.timing.exclusive_settling +
             plan.timing.counting_slice + 2 * plan.timing.around_a_slice;
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(total);
}

std::chrono::milliseconds expected_duration(const run_plan& plan) {
  auto total = expected_memory_duration(plan) + expected_counting_duration(plan);
  for (const auto& block : blocks_of_round(plan, 0)) {
    total += plan.rounds * expected_duration(block, plan.timing);
  }
  return total;
}

std::vector<suite_summary> suite_summaries() {
  std::vector<suite_summary> all;
  for (const auto& each : all_suites()) {
    run_request request;
    request.suite = each.name;
    all.push_back({each.name, each.purpose, expected_duration(plan_run(request))});
  }
  return all;
}

}  // namespace bench
