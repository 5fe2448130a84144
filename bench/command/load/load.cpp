// echobench load: loads any echo server, wherever it runs, and checks its replies.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bench/command/commands.hpp>
#include <bench/command/interruption.hpp>
#include <bench/command/load/request.hpp>
#include <bench/command/load/team.hpp>
#include <bench/command/load/text.hpp>
#include <bench/load/outcome.hpp>
#include <bench/machine/machine.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/file.hpp>
#include <bench/text/terminal.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

constexpr int exit_cannot_tell = 4;

// One line on standard error that is drawn anew, if that is a terminal.
class live_line {
 public:
  ~live_line() { show(""); }
  static bool is_seen() { return is_terminal(stderr); }
  void show(const std::string& text) {
    if (!is_seen()) return;
    tell(stderr, "\r{}\033[K", text);
    std::fflush(stderr);
  }
};

void show_progress(load_team& clients, std::chrono::milliseconds length, live_line& line) {
  if (!live_line::is_seen()) return;
  clients.set_observer([&line, length, shown = load_sample{}](const load_sample& now) mutable {
    const auto left = std::max(seconds{0}, seconds{length} - seconds{now.seconds});
    line.show(live_text(difference(now, shown), left, style_of(stderr)));
    shown = now;
  });
}

void measure(load_team& clients, const load_plan& plan, load_outcome& found) {
  live_line line;
  show_progress(clients, plan.length, line);
  clients.load(plan.length, plan.load.rate_per_second, found.measured);
}

rate_step try_rate(load_team& clients, const expectation& limit, double rate, double step_seconds) {
  const auto start = clock::now();
  load_sample sample;
  clients.load(std::chrono::duration_cast<std::chrono::nanoseconds>(seconds{step_seconds}), rate,
               sample);
  rate_step step{.rate_per_second = rate,
                 .answered_per_second = sample.messages_per_second(),
                 .measured = limit.measured_by(sample),
                 .saturated = sample.falls_behind(),
                 .client_is_the_limit = sample.client_is_the_limit() || sample.client_is_late()};
  step.holds = limit.holds(step.measured) && !step.saturated;
  step.seconds = seconds{clock::now() - start}.count();
  return step;
}

using make_team = std::function<std::unique_ptr<load_team>(const scenario& shape)>;

// A closed loop for a moment says where to begin. It has one message on each connection: many more
// could keep a slow server for longer than the whole search may take.
double glance_at(const address& where, const load_plan& plan, const make_team& make) {
  auto shape = plan.load;
  shape.depth = 1;
  const auto clients = make(shape);
  clients->connect(where);
  load_sample full;
  clients->load(std::min<std::chrono::nanoseconds>(1s, plan.length / 20), 0, full);
  return full.messages_per_second();
}

// `begun`: when its time began.
void search(load_team& clients, const load_plan& plan, clock::time_point begun, double full,
            load_outcome& found) {
  constexpr double share_to_begin = 0.25;
  constexpr double limits_in_a_step = 5;  // so that a queue has time to grow beyond the limit
  constexpr double spare = 1.05;          // messages at the ends of a step may not count
  rate_search::settings wanted;
  wanted.seconds = std::max(0.0, seconds{plan.length - (clock::now() - begun)}.count());
  wanted.first_rate = std::max(1.0, full * share_to_begin);
  wanted.highest_rate = max_rate;
  wanted.least_step = std::max(wanted.least_step, limits_in_a_step * plan.limit->limit() / 1e9);
  wanted.least_messages = spare * plan.limit->least_messages();
  found.search.emplace(searched_rate{*plan.limit, rate_search{wanted}});
  auto& searching = found.search->search;
  live_line line;
  while (const auto rate = searching.next()) {
    searching.add(try_rate(clients, *plan.limit, *rate, searching.step_seconds(*rate)));
    line.show(live_text(*plan.limit, searching.steps().back()));
  }
}

// Whatever ends the load, `found` holds what was measured until then.
void load_server(const make_team& make, const load_target& wanted, const load_plan& plan,
                 load_outcome& found) {
  const auto begun = clock::now();
  const auto where = wanted.resolve();
  found.target = where.text;
  const double full = plan.limit ? glance_at(where, plan, make) : 0;
  const auto clients = make(plan.load);
  clients->connect(where);
  found.prefix = clients->prefix();
  plan.limit ? search(*clients, plan, begun, full, found) : measure(*clients, plan, found);
}

// Loads from threads of this process, or from the hosts that the plan names.
void load_server(const load_target& wanted, const load_plan& plan, const std::atomic<bool>& stop,
                 load_outcome& found) {
  std::optional<fleet> generators;
  if (plan.hosts) found.hosts = generators.emplace(*plan.hosts, stop).hosts();
  load_server(
      [&](const scenario& shape) -> std::unique_ptr<load_team> {
        if (generators) return std::make_unique<load_hosts>(shape, *generators);
        return std::make_unique<load_threads>(shape, plan.threads, stop, plan.sources);
      },
      wanted, plan, found);
}

void judge(const load_plan& plan, load_outcome& found) {
  for (const auto& each : plan.expectations) {
    const double measured =
        found.search ? found.search->search.best().value_or(0) : each.measured_by(found.measured);
    found.expectations.push_back({each, measured});
  }
}

// Whoever cannot be told has the file all the same, and the other way round.
void write_results(const load_outcome& found, const std::optional<std::string>& json) {
  if (json == "-") {
    fmt::print("{}", outcome_json(found));
    return;
  }
  std::exception_ptr unwritten;
  try {
    if (json) replace_file(*json, outcome_json(found));
  } catch (const std::exception&) {
    unwritten = std::current_exception();
  }
  fmt::print("{}", load_text(found, style_of(stdout)));
  flush(stdout);
  if (unwritten) std::rethrow_exception(unwritten);
}

}  // namespace

int load_command(const arguments& given) {
  load_wishes asked;
  const auto rest = options_of(asked).parse(given);
  const auto plan = plan_of(asked);
  auto where = parse_target(rest);
  where.tls = asked.tls || plan.load.tls;

  const auto& stop = catch_interruption();
  raise_descriptor_limit();
  load_outcome found{.target = where.text,
                     .load = plan.load,
                     .threads = plan.threads,
                     .tls = where.tls,
                     .prefix = {},
                     .measured = {}};
  std::exception_ptr failure;
  try {
    load_server(where, plan, stop, found);
  } catch (const interrupted&) {
    found.end = load_end::interrupted;
  } catch (const run_invalid& error) {
    failure = std::current_exception();
    found.end = load_end::failed;
    found.failure = failure_of(error);
  }
  judge(plan, found);
  write_results(found, asked.json);
  if (failure) std::rethrow_exception(failure);
  if (found.end == load_end::interrupted) return exit_interrupted;
  if (found.search && found.search->search.cannot_tell()) return exit_cannot_tell;
  const bool found_a_rate = !found.search || found.search->search.best();
  return found.all_hold() && found_a_rate ? 0 : 1;
}

}  // namespace bench
