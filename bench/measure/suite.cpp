#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bench/machine/machine.hpp>
#include <bench/measure/suite.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/failure.hpp>
#include <random>
#include <regex>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr int fewest_rounds = 1;
constexpr int most_rounds = 1000;
const std::string control_server = "fibers/epoll";
const std::string headline = "c64/512";

// What a run must find: a microsecond where it shows best, many messages and few a wait.
const std::string dearer_server = control_server + "/inject1000ns";
const std::string injected_load = "c16/64";

struct matchup {
  std::string contender;
  std::string base;
};

struct part {
  std::vector<matchup> matchups;
  std::vector<std::string> scenarios;
};

// What a suite holds before --servers, --server, --scenarios and --filter have their say.
struct suite {
  std::string name;
  std::string purpose;
  int rounds;
  std::chrono::seconds budget;
  block_timing timing;
  std::vector<part> parts;
  std::vector<int> memory_connections{16, 256, 1024};
  bool injects = false;  // it ends with a row whose difference is known
};

const matchup on_epoll{"fibers/epoll", "asio-callback/epoll"};
const matchup on_select{"fibers/select", "asio-callback/select"};
const matchup on_io_uring{"fibers/io_uring", "asio-callback/io_uring"};

// Select comes last and with less: it is dearer, and less asked for.
const std::vector<suite> suites{
    // Short slices and two scenarios: the shortest run that has an interval.
    {"quick",
     "fibers with Asio on epoll and select, the shortest run that has intervals",
     7,
     28s,
     {.duet_warm_up = 60ms,
      .duet_slice = 150ms,
      .exclusive_settling = 30ms,
      .exclusive_slice = 100ms},
     {{{on_epoll}, {"c16/64", headline}}, {{on_select}, {headline}}}},
    {"default",
     "the same under more loads, with an open loop and churn",
     10,
     175s,
     {},
     {{{on_epoll},
       {"c1/64", "c16/64", headline, "c256/64", "c16/64/d16", "c16/16K", "c64/512/r50%",
        "c16/64/churn"}},
      {{on_select}, {headline, "c256/64"}}},
     {16, 256, 1024},
     true},
    {"thorough",
     "the same with twice the blocks, more connections and idle ones",
     24,
     720s,
     {},
     {{{on_epoll},
       {"c1/64", "c16/64", headline, "c256/64", "c1024/64", "c64/64+10000idle", "c16/64/d16",
        "c16/16K", "c64/512/r50%", "c64/512/r20k", "c16/64/churn"}},
      {{on_select}, {"c1/64", headline, "c256/64"}}},
     {16, 256, 1024, 10'000},
     true},
    {"reactors",
     "fibers with Asio on each reactor, and each reactor with epoll",
     10,
     290s,
     {},
     {{{on_epoll, on_select, on_io_uring}, {"c1/64", headline, "c256/64"}},
      {{{"fibers/io_uring", "fibers/epoll"},
        {"fibers/poll", "fibers/epoll"},
        {"asio-callback/io_uring", "asio-callback/epoll"},
        {"floor/io_uring", "floor/epoll"}},
       {"c1/64", headline}}}},
    {"styles",
     "Asio's callbacks with its coroutines, its spawn, and fibers",
     10,
     290s,
     {},
     {{{{"asio-coroutine/epoll", "asio-callback/epoll"},
        {"asio-spawn/epoll", "asio-callback/epoll"},
        {"fibers/epoll", "asio-callback/epoll"},
        {"fibers/epoll", "asio-spawn/epoll"}},
       {"c1/64", headline, "c256/64"}}}},
    {"threads",
     "one thread and two; all of a server's threads share its core",
     10,
     290s,
     {},
     {{{on_epoll,
        {"fibers/epoll/t2", "asio-callback/epoll/t2"},
        {"fibers/epoll/t2", "asio-callback/epoll/t2/shared"}},
       {headline, "c256/64"}}}},
    {"spin",
     "what it gives and takes to look for events before sleeping",
     20,
     290s,
     {},
     {{{{"fibers/epoll/spin50us", "fibers/epoll"}, {"fibers/io_uring/spin50us", "fibers/io_uring"}},
       {"c1/64"}}}},
    {"unix",
     "a socket in the file system instead of tcp",
     10,
     290s,
     {},
     {{{{"fibers/epoll/unix", "asio-callback/epoll/unix"},
        {"fibers/io_uring/unix", "asio-callback/io_uring/unix"},
        {"fibers/epoll/unix", "fibers/epoll"}},
       {"c1/64", headline}}}},
    {"connections",
     "many connections, most of them idle, and the memory of each",
     6,
     290s,
     {},
     {{{on_epoll, on_io_uring}, {"c1024/64", "c4096/64", "c10000/64", "c64/64+10000idle"}}},
     {16, 256, 1024, 4096, 10'000}},
};

const suite& find_suite(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& each : suites) {
    if (each.name == name) return each;
    names.push_back(each.name);
  }
  throw usage_error(fmt::format("--suite '{}' is none of {}", name, fmt::join(names, ", ")));
}

// The last part that has anything on one of these reactors, so that select gets what suits it.
const part& part_for(const suite& chosen, const comparison& pair) {
  for (auto each = chosen.parts.rbegin(); each != chosen.parts.rend(); ++each)
    for (const auto& [contender, base] : each->matchups)
      if (reactor_of(base) == reactor_of(pair.base) ||
          reactor_of(base) == reactor_of(pair.contender))
        return *each;
  return chosen.parts.front();
}

comparison compare(const std::string& contender, const std::string& base) {
  return {base, contender, floor_of(base, contender)};
}

// What --servers and --server ask for instead of the suite's own; empty: nothing.
std::vector<comparison> asked_comparisons(const run_request& request,
                                          const std::vector<server_info>& added) {
  std::vector<comparison> all;
  for (std::size_t i = 1; i < request.servers.size(); ++i)
    all.push_back(compare(request.servers[i], request.servers[0]));
  if (!all.empty() || added.empty()) return all;
  all.push_back(compare(on_epoll.contender, on_epoll.base));
  for (const auto& each : added) {
    all.push_back(compare(each.name, on_epoll.base));
    all.push_back(compare(each.name, on_epoll.contender));
  }
  return all;
}

pairing pairing_of(const scenario& load, const comparison& pair) {
  const bool open = load.open_loop();
  return {.scenario = load,
          .comparison = pair,
          .duet = !open && may_share_a_core(pair.base, pair.contender),
          .exclusive = !open,
          .open_loop = open};
}

std::vector<pairing> pairings_of(const suite& chosen, const run_request& request,
                                 const std::vector<server_info>& added) {
  std::vector<pairing> all;
  const auto add = [&](const comparison& pair, const std::vector<std::string>& usual) {
    for (const auto& name : request.scenarios.empty() ? usual : request.scenarios) {
      auto row = pairing_of(scenario::parse(name), pair);
      const auto same = [&](const pairing& each) {
        return each.scenario == row.scenario && each.comparison == row.comparison;
      };
      if (std::none_of(all.begin(), all.end(), same)) all.push_back(std::move(row));
    }
  };
  const auto asked = asked_comparisons(request, added);
  for (const auto& pair : asked) add(pair, part_for(chosen, pair).scenarios);
  if (!asked.empty()) return all;
  for (const auto& each : chosen.parts)
    for (const auto& [contender, base] : each.matchups)
      add(compare(contender, base), each.scenarios);
  if (chosen.injects && request.scenarios.empty()) {
    add(compare(dearer_server, control_server), {injected_load});
    all.back().exclusive = false;  // a duet finds it; the time is better spent on the others
  }
  return all;
}

bool is_target(const std::string& name, const std::vector<server_info>& known) {
  return std::any_of(known.begin(), known.end(), [&](const server_info& each) {
    return each.name == name && each.target.has_value();
  });
}

// A target is not ours to put on the servers' core: it is loaded alone, and no floor rides along.
void keep_targets_apart(std::vector<pairing>& pairings, const std::vector<server_info>& known) {
  for (auto& each : pairings) {
    if (!is_target(each.comparison.base, known) && !is_target(each.comparison.contender, known))
      continue;
    each.duet = false;
    each.comparison.floor.reset();
  }
}

void keep_matching(std::vector<pairing>& pairings, const std::string& filter) {
  if (filter.empty()) return;
  std::regex pattern;
  try {
    pattern.assign(filter);
  } catch (const std::regex_error&) {
    throw usage_error(fmt::format("--filter '{}' is not a regular expression", filter));
  }
  const auto name = [](const pairing& each) {
    return fmt::format("{} {} {}", each.scenario.text(), each.comparison.contender,
                       each.comparison.base);
  };
  std::vector<std::string> names;
  for (const auto& each : pairings) names.push_back(name(each));
  std::erase_if(pairings, [&](auto& each) { return !std::regex_search(name(each), pattern); });
  if (pairings.empty()) {
    throw usage_error(
        fmt::format("--filter '{}' matches none of: {}", filter, fmt::join(names, ", ")));
  }
}

// The load of the control: one that a duet of these pairings has, if any, and there the headline's.
const pairing& judged_first(const std::vector<pairing>& pairings) {
  const auto rank = [](const pairing& each) {
    return std::pair{each.duet, each.scenario.text() == headline};
  };
  return *std::max_element(pairings.begin(), pairings.end(),
                           [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

// A server against itself, in the company and in the kinds of block of the pairings that it judges:
// blocks in which servers are alone have another noise than duets. Of a target there is no CPU that
// could be judged.
pairing control_of(const std::vector<pairing>& pairings, const std::vector<server_info>& known) {
  const auto* chosen = &judged_first(pairings);
  auto load = chosen->scenario;
  load.rate_per_second = load.rate_percent = 0;  // what it judges is cost, in a closed loop
  const bool has_usual = std::any_of(pairings.begin(), pairings.end(), [](const pairing& each) {
    return each.comparison.base == control_server || each.comparison.contender == control_server;
  });
  const auto& [base, contender, floor] = chosen->comparison;
  const auto server = has_usual                      ? control_server
                      : !is_target(contender, known) ? contender
                      : !is_target(base, known)      ? base
                                                     : control_server;
  const bool duet = chosen->duet && may_share_a_core(server, server);
  const bool any_alone = std::any_of(pairings.begin(), pairings.end(), [&](const pairing& each) {
    return each.exclusive && !each.duet && !is_target(each.comparison.base, known) &&
           !is_target(each.comparison.contender, known);
  });
  auto pair = compare(server, server);
  if (!floor) pair.floor.reset();
  return {.scenario = load,
          .comparison = pair,
          .control = true,
          .duet = duet,
          .exclusive = any_alone || !duet};
}

std::vector<server_info> servers_of(const std::vector<pairing>& pairings,
                                    const std::vector<server_info>& added) {
  std::vector<server_info> all;
  const auto add = [&](const std::string& name) {
    const auto same = [&](const server_info& each) { return each.name == name; };
    if (std::none_of(all.begin(), all.end(), same)) all.push_back(find_server(name, added));
  };
  for (const auto& each : pairings) {
    add(each.comparison.base);
    add(each.comparison.contender);
    if (each.comparison.floor && each.duet) add(*each.comparison.floor);
  }
  return all;
}

int servers_of(block_kind kind, const comparison& pair) {
  return kind == block_kind::duet && pair.floor ? 3 : 2;
}

// The client holds the connections to all servers of a block.
void keep_what_fits(run_plan& plan, int descriptors) {
  for (auto& each : plan.pairings) {
    const auto check = [&](bool& wanted, block_kind kind) {
      const auto needed = servers_of(kind, each.comparison) * each.scenario.all_connections();
      if (!wanted || needed + other_descriptors <= descriptors) return;
      wanted = false;
      plan.left_out.push_back(caveats::descriptors_missing{
          each.scenario.text(), kind, needed + other_descriptors, descriptors});
    };
    check(each.duet, block_kind::duet);
    check(each.exclusive, block_kind::exclusive);
    check(each.open_loop, block_kind::open_loop);
  }
  std::erase_if(plan.pairings, [](const pairing& each) {
    return !each.duet && !each.exclusive && !each.open_loop;
  });
  if (plan.pairings.empty()) {
    throw usage_error(text_of(plan.left_out.front()));
  }
  std::erase_if(plan.memory_connections,
                [=](int count) { return count + other_descriptors > descriptors; });
}

template <class T, class Of>
std::vector<T> distinct(const std::vector<pairing>& pairings, Of of) {
  std::vector<T> all;
  for (const auto& each : pairings) {
    if (each.control || std::find(all.begin(), all.end(), of(each)) != all.end()) continue;
    all.push_back(of(each));
  }
  return all;
}

// Which launch is first, second, third: each leads, and precedes each other, equally often.
std::string duet_order(int round, bool with_floor) {
  static const std::vector<std::string> three{"ABF", "FBA", "BFA", "AFB", "FAB", "BAF"};
  const auto turn = static_cast<std::size_t>(round);
  if (with_floor) return three[turn % three.size()];
  return turn % 2 == 0 ? "AB" : "BA";
}

int servers_in(const planned_block& block) {
  return servers_of(block.kind, block.comparison);
}

// A process that starts, listens and takes so many connections, each of which echoes once.
std::chrono::microseconds launch_time(int connections) {
  return 15ms + connections * 100us;
}

}  // namespace

run_plan plan_run(const run_request& request) {
  const auto& chosen = find_suite(request.suite);
  if (request.servers.size() == 1) {
    throw usage_error("--servers wants two names or more: the base, and what is compared with it");
  }
  const int rounds = request.rounds.value_or(chosen.rounds);
  if (rounds < fewest_rounds || rounds > most_rounds) {
    throw usage_error(
        fmt::format("--rounds {} is not {} to {}", rounds, fewest_rounds, most_rounds));
  }
  const auto added = added_servers(request.added, request.targets);
  for (const auto& each : request.servers) find_server(each, added);

  run_plan plan;
  plan.suite = chosen.name;
  plan.seed = request.seed;
  plan.rounds = rounds;
  plan.timing = chosen.timing;
  plan.pairings = pairings_of(chosen, request, added);
  plan.memory_connections = chosen.memory_connections;
  if (!request.rounds) plan.budget = chosen.budget;
  keep_targets_apart(plan.pairings, added);
  keep_matching(plan.pairings, request.filter);
  if (request.descriptors) keep_what_fits(plan, *request.descriptors);
  plan.pairings.push_back(control_of(plan.pairings, added));
  plan.servers = servers_of(plan.pairings, added);
  return plan;
}

void leave_out(run_plan& plan, const std::string& server, const std::string& reason) {
  plan.left_out.push_back(caveats::server_missing{server, reason});
  std::erase_if(plan.pairings, [&](const pairing& each) {
    return each.control || each.comparison.base == server || each.comparison.contender == server;
  });
  if (plan.pairings.empty()) throw run_invalid(text_of(plan.left_out.back()));
  for (auto& each : plan.pairings)
    if (each.comparison.floor == server) each.comparison.floor.reset();
  plan.pairings.push_back(control_of(plan.pairings, plan.servers));
  auto& control = plan.pairings.back().comparison;
  if (control.floor == server) control.floor.reset();
  const auto known = plan.servers;
  plan.servers = servers_of(plan.pairings, known);
}

std::vector<suite_summary> suite_summaries() {
  std::vector<suite_summary> all;
  for (const auto& each : suites) {
    run_request request;
    request.suite = each.name;
    all.push_back({each.name, each.purpose, expected_duration(plan_run(request))});
  }
  return all;
}

std::vector<scenario> run_plan::scenarios() const {
  return distinct<scenario>(pairings, [](const pairing& each) { return each.scenario; });
}

std::vector<comparison> run_plan::comparisons() const {
  return distinct<comparison>(pairings, [](const pairing& each) { return each.comparison; });
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
  const auto launches = servers_in(block) * launch_time(block.scenario.all_connections());
  std::chrono::microseconds load = 4 * (timing.exclusive_settling + timing.exclusive_slice);
  if (block.kind == block_kind::duet) {
    load = timing.duet_warm_up + timing.duet_slices * timing.duet_slice;
  } else if (block.scenario.rate_percent > 0) {
    load += 2 * (timing.exclusive_settling + timing.capacity_slice);
  }
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
             plan.timing.counting_slice;
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

}  // namespace bench
