#include <bench/measure/plan.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bench/machine/machine.hpp>
#include <bench/measure/schedule.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/server/regular_expression.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <filesystem>

namespace bench {
namespace {

constexpr int fewest_rounds = 1;
constexpr int most_rounds = 1000;
// As measured: 50 ms until hosts begin, 30 ms of load before and after a slice, and their answers.
constexpr std::chrono::milliseconds for_hosts_to_agree{120};

comparison compare(const std::string& contender, const std::string& base) {
  return {base, contender, floor_of(base, contender)};
}

// The servers that are compared with those of another build: the asked ones, or the suite's fibers.
std::vector<std::string> renewed_servers(const run_request& request, const suite& chosen) {
  if (!request.servers.empty()) return request.servers;
  std::vector<std::string> names;
  for (const auto& part : chosen.parts)
    for (const auto& [contender, base] : part.matchups)
      for (const auto& name : {contender, base})
        if (name.starts_with("fibers/") &&
            std::find(names.begin(), names.end(), name) == names.end())
          names.push_back(name);
  return names;
}

// The comparisons that --against, --servers and --server ask for. Empty: the suite decides.
std::vector<comparison> asked_comparisons(const run_request& request, const suite& chosen,
                                          const std::vector<server_info>& added) {
  std::vector<comparison> all;
  if (!request.against.empty()) {
    for (const auto& name : renewed_servers(request, chosen))
      all.push_back(compare(name, older_server(name, request.against).name));
    return all;
  }
  for (std::size_t i = 1; i < request.servers.size(); ++i)
    all.push_back(compare(request.servers[i], request.servers[0]));
  if (!all.empty() || added.empty()) return all;
  const auto& usual = usual_matchup();
  all.push_back(compare(usual.contender, usual.base));
  for (const auto& each : added) {
    all.push_back(compare(each.name, usual.base));
    all.push_back(compare(each.name, usual.contender));
  }
  return all;
}

bool can_have(const pairing& row) {
  const auto& [base, contender, floor] = row.comparison;
  return serves(base, row.scenario) && serves(contender, row.scenario);
}

pairing pairing_of(const scenario& load, const comparison& pair) {
  const bool open = load.open_loop();
  auto with_floor = pair;
  if (pair.floor && !serves(*pair.floor, load)) with_floor.floor.reset();
  return {.scenario = load,
          .comparison = with_floor,
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
      if (request.scenarios.empty() && !can_have(row)) continue;
      const auto same = [&](const pairing& each) {
        return each.scenario == row.scenario && each.comparison == row.comparison;
      };
      if (std::none_of(all.begin(), all.end(), same)) all.push_back(std::move(row));
    }
  };
  const auto asked = asked_comparisons(request, chosen, added);
  for (const auto& pair : asked) add(pair, part_for(chosen, pair).scenarios);
  if (!asked.empty() &&
      !(request.servers.empty() && request.added.empty() && request.targets.empty()))
    return all;
  for (const auto& each : chosen.parts)
    for (const auto& [contender, base] : each.matchups)
      if (asked.empty()) add(compare(contender, base), each.scenarios);
  if (chosen.injects && request.scenarios.empty()) {
    add(compare(slowed_server, control_server), {slowed_load});
    // A duet shows the difference, so exclusive blocks would only cost time.
    all.back().exclusive = false;
  }
  return all;
}

// A target cannot be pinned to the servers' CPU. So its pairings have no duet and no floor.
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
  std::optional<regular_expression> pattern;
  try {
    pattern.emplace(filter);
  } catch (const std::invalid_argument& error) {
    throw usage_error(
        fmt::format("--filter '{}' is not a regular expression: {}", filter, error.what()));
  }
  const auto name = [](const pairing& each) {
    return fmt::format("{} {} {}", each.scenario.text(), each.comparison.contender,
                       each.comparison.base);
  };
  std::vector<std::string> names;
  for (const auto& each : pairings) names.push_back(name(each));
  std::erase_if(pairings, [&](auto& each) { return !pattern->is_in(name(each)); });
  if (pairings.empty()) {
    throw usage_error(
        fmt::format("--filter '{}' matches none of: {}", filter, fmt::join(names, ", ")));
  }
}

// The pairing whose load the A/A control uses: preferably one that has duets, and among those
// preferably the headline scenario.
const pairing& judged_first(const std::vector<pairing>& pairings) {
  const auto rank = [](const pairing& each) {
    return std::pair{each.duet, each.scenario.text() == headline_scenario};
  };
  return *std::max_element(pairings.begin(), pairings.end(),
                           [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

// True if loads that differ only in their rate are judged by their CPU. All of them are of servers
// loaded alone.
bool has_a_rate_curve(const std::vector<pairing>& pairings) {
  return std::any_of(pairings.begin(), pairings.end(), [&](const pairing& one) {
    return fewest_for_a_curve <=
           std::count_if(pairings.begin(), pairings.end(), [&](const pairing& other) {
             return other.comparison == one.comparison && (other.open_loop || other.exclusive) &&
                    other.scenario.at_full_rate() == one.scenario.at_full_rate();
           });
  });
}

// The A/A control compares a server with itself. It uses the same floor and the same kinds of block
// as the pairings that it judges, because exclusive blocks have another noise than duets. A target
// cannot be the control, since its CPU time is unknown.
pairing control_of(const std::vector<pairing>& pairings, const std::vector<server_info>& known) {
  const auto* chosen = &judged_first(pairings);
  // The control judges CPU per message in a closed loop.
  const auto load = chosen->scenario.at_full_rate();
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
          .exclusive = any_alone || !duet || has_a_rate_curve(pairings)};
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

// Leaves out the blocks that need more descriptors than there are: the client holds the connections
// to all servers of a block at once.
void keep_what_fits(run_plan& plan, int descriptors) {
  for (auto& each : plan.pairings) {
    const auto check = [&](bool& wanted, block_kind kind) {
      const auto needed = servers_in(kind, each.comparison) * each.scenario.all_connections();
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

// The budget of a suite suffices for the rows of the suite. Where options ask for more rows, it
// grows as they take longer. It does not shrink, because fewer rows end by themselves.
std::chrono::seconds grown_budget(const run_plan& plan, const run_request& request) {
  const bool asks_for_rows = !request.servers.empty() || !request.added.empty() ||
                             !request.targets.empty() || !request.scenarios.empty() ||
                             !request.against.empty() || request.from_hosts;
  if (!asks_for_rows) return *plan.budget;
  run_request usual;
  usual.suite = request.suite;
  const std::chrono::duration<double> expected = expected_duration(plan);
  const auto growth = expected / expected_duration(plan_run(usual));
  return std::chrono::ceil<std::chrono::seconds>(*plan.budget * std::max(1.0, growth));
}

std::string_view who_serves(const scenario& load) {
  if (load.asks == service::fields)
    return "fibers, asio-coroutine and floor do; /buffered goes with the first two, /sparing with "
           "Asio";
  if (is_http(load.asks) || load.tls) return "fibers, asio-callback, asio-coroutine and floor do";
  if (load.one_way) return "it echoes; only fibers, asio and floor can acknowledge instead";
  return "/buffered and /sparing go with a load of fields";
}

// An older build may lack the program that a load wants.
void expect_program(const std::string& server, const scenario& load,
                    const std::vector<server_info>& added) {
  const auto older = std::find_if(added.begin(), added.end(), [&](const server_info& each) {
    return each.name == server && each.name.starts_with("old/");
  });
  if (older == added.end()) return;
  const auto program = split_words(made_for(*older, load).command).front();
  if (std::filesystem::is_regular_file(program)) return;
  throw usage_error(fmt::format("--scenarios {}: the other build has no {}", load.text(), program));
}

void expect_served(const std::vector<pairing>& pairings, const std::vector<server_info>& added) {
  for (const auto& each : pairings) {
    expect_program(each.comparison.base, each.scenario, added);
    if (can_have(each)) continue;
    const auto& [base, contender, floor] = each.comparison;
    const auto& unable = serves(base, each.scenario) ? contender : base;
    throw usage_error(fmt::format("--scenarios {}: {} does not serve that; {}",
                                  each.scenario.text(), unable, who_serves(each.scenario)));
  }
}

void expect_servers_to_compare(const run_request& request) {
  if (request.against.empty() && request.servers.size() == 1)
    throw usage_error("--servers wants two names or more: the base, and what is compared with it");
  if (!request.against.empty() && !(request.added.empty() && request.targets.empty()))
    throw usage_error(
        "--against compares servers of this build with those of another: it goes together with "
        "neither --server nor --target");
}

}  // namespace

bool is_target(const std::string& name, const std::vector<server_info>& known) {
  return std::any_of(known.begin(), known.end(), [&](const server_info& each) {
    return each.name == name && each.target.has_value();
  });
}

int servers_in(block_kind kind, const comparison& pair) {
  return kind == block_kind::duet && pair.floor ? 3 : 2;
}

run_plan plan_run(const run_request& request) {
  const auto& chosen = find_suite(request.suite);
  expect_servers_to_compare(request);
  const int rounds = request.rounds.value_or(chosen.rounds);
  if (rounds < fewest_rounds || rounds > most_rounds) {
    throw usage_error(
        fmt::format("--rounds {} is not {} to {}", rounds, fewest_rounds, most_rounds));
  }
  auto added = added_servers(request.added, request.targets);
  for (const auto& each : request.servers) find_server(each, added);
  if (!request.against.empty())
    for (const auto& name : renewed_servers(request, chosen))
      added.push_back(older_server(name, request.against));

  run_plan plan;
  plan.suite = chosen.name;
  plan.seed = request.seed;
  plan.rounds = rounds;
  plan.until_sure = request.until_sure;
  plan.timing = chosen.timing;
  if (request.from_hosts) plan.timing.around_a_slice = for_hosts_to_agree;
  plan.pairings = pairings_of(chosen, request, added);
  plan.memory_connections = chosen.memory_connections;
  if (!request.rounds) plan.budget = chosen.budget;
  if (plan.pairings.empty())
    throw usage_error(
        fmt::format("--servers: they do not both serve a load of the suite {}; {}", chosen.name,
                    who_serves(scenario::parse(chosen.parts.front().scenarios.front()))));
  keep_targets_apart(plan.pairings, added);
  keep_matching(plan.pairings, request.filter);
  expect_served(plan.pairings, added);
  if (request.descriptors) keep_what_fits(plan, *request.descriptors);
  plan.pairings.push_back(control_of(plan.pairings, added));
  plan.servers = servers_of(plan.pairings, added);
  if (plan.budget) plan.budget = grown_budget(plan, request);
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

std::vector<server_info> run_plan::servers_as_started() const {
  auto started = servers;
  for (auto& server : started) {
    std::vector<std::string> commands;
    for (const auto& each : pairings) {
      const auto& [base, contender, floor] = each.comparison;
      if (server.name != base && server.name != contender && server.name != floor) continue;
      auto command = made_for(server, each.scenario.smallest()).command;
      if (std::find(commands.begin(), commands.end(), command) == commands.end())
        commands.push_back(std::move(command));
    }
    if (!commands.empty()) server.command = fmt::format("{}", fmt::join(commands, "; "));
  }
  return started;
}

scenario run_plan::smallest_load() const {
  return pairings.empty() ? scenario{} : pairings.front().scenario.smallest();
}

std::vector<scenario> run_plan::scenarios() const {
  return distinct<scenario>(pairings, [](const pairing& each) { return each.scenario; });
}

std::vector<comparison> run_plan::comparisons() const {
  return distinct<comparison>(pairings, [](const pairing& each) { return each.comparison; });
}

}  // namespace bench
