// echobench load: loads any echo server, wherever it runs, and checks its replies.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bench/command/commands.hpp>
#include <bench/command/interruption.hpp>
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

constexpr const char* usual_duration = "5s";
constexpr const char* usual_duration_of_a_search = "30s";
constexpr auto least_search = 1s;
constexpr int exit_cannot_tell = 4;
constexpr int most_threads = 1024;
constexpr std::string_view unix_sign = "unix:";

// What the command line says.
struct wishes {
  std::optional<std::string> load;
  std::optional<int> connections;
  std::optional<int> size;
  std::optional<int> depth;
  std::optional<std::string> rate;
  bool churn = false;
  bool tls = false;
  std::optional<int> threads;
  std::optional<std::string> duration;
  std::optional<std::string> json;
  std::vector<std::string> expect;
  std::optional<std::string> find_rate;
};

// What it means.
struct load_plan {
  scenario load;
  int threads = 1;
  std::chrono::milliseconds length{};
  std::vector<expectation> expectations{};
  std::optional<expectation> limit{};  // a search for the highest rate at which it holds
};

constexpr const char* help_of_load =
    "A load has the name that it has in a run: c64/512 is 64 connections and messages of 512 "
    "bytes. --connections, --size and --depth are short for its parts, --rate for /r20k, --churn "
    "for /churn. Without --rate the loop is closed: a connection sends again when its reply has "
    "come. With it messages are due at that rate, and latency counts from then. Of a stream, "
    "c1/64K/stream, two messages are on their way, and more up to 64 KiB. c1/64K/oneway wants a "
    "server that acknowledges and does not echo: fibers_echo --buffer 65536 --ack 65536.\n"
    "A LIMIT is of a percentile (p50<80us, p99.9<=2ms), of the longest time (max<1s), or of the "
    "answered messages per second (rate>100k).\n"
    "Exit codes: 1 an expectation fails or no rate is found, 2 a wrong argument, 3 the server "
    "fails or answers wrong bytes, 4 the time is too short to find a rate, 130 after Ctrl-C.\n"
    "The server runs already, here or elsewhere, such as fibers_echo on port 25000.";

options options_of(wishes& asked) {
  options wanted{"echobench load", "HOST:PORT|unix:PATH",
                 "Loads an echo server and compares every byte of every reply; with --load "
                 "c64/json or c1/fields a server of HTTP or of fields. A prefix before "
                 "each reply is found by itself."};
  wanted.add("load", asked.load, "LOAD", "as in c64/512, c64/512/d16, c64/512/r20k, c16/64/churn");
  wanted.add("connections", asked.connections, "N", "open connections; default 64");
  wanted.add("size", asked.size, "BYTES", "of a message, 16 to 1048576; default 512");
  wanted.add("depth", asked.depth, "N", "messages outstanding on each connection; default 1");
  wanted.add("rate", asked.rate, "PER_SECOND", "open loop at this rate, as in 20000, 20k or 1.5M");
  wanted.add("churn", asked.churn, "a new connection for each message");
  wanted.add("tls", asked.tls, "encrypt; the certificate of the server is not verified");
  wanted.add("threads", asked.threads, "N", "clients at once, to use several cores; default 1");
  wanted.add("duration", asked.duration, "TIME",
             "as in 500ms, 5s, 2m; default 5s, of a whole search 30s");
  wanted.add("expect", asked.expect, "LIMIT", "as in 'p99<2ms' or 'rate>100k'");
  wanted.add("find-rate", asked.find_rate, "LIMIT",
             "search the highest rate at which, say, 'p99<2ms' holds");
  wanted.add("json", asked.json, "FILE", "write the result; - is standard output, without text");
  wanted.explain(help_of_load);
  wanted.example("load localhost:25000");
  wanted.example("load localhost:25000 --load c64/512/d16");
  wanted.example("load localhost:25000 --rate 9k --expect 'p99<2ms'");
  wanted.example("load localhost:25000 --find-rate 'p99<2ms'");
  wanted.example("load localhost:25000 --threads 2");
  return wanted;
}

[[noreturn]] void refuse(const std::string& what) {
  throw usage_error("echobench load: " + what);
}

// Sets a part of the load from its own option, unless the name of the load says something else.
void take_part(const wishes& asked, const char* option, const std::optional<int>& value,
               int& part) {
  if (!value) return;
  if (asked.load && *value != part)
    refuse(fmt::format("--{} {} contradicts --load {}", option, *value, *asked.load));
  part = *value;
}

void take_rate(const wishes& asked, scenario& load) {
  if (load.rate_percent > 0)
    refuse(
        fmt::format("--load {}: a share of the full rate needs two servers; name a rate, as in "
                    "r20k",
                    *asked.load));
  if (!asked.rate) return;
  const auto rate = parse_rate(*asked.rate);
  if (!rate) refuse("--rate " + not_a_rate(*asked.rate));
  if (load.open_loop() && load.rate_per_second != *rate)
    refuse(fmt::format("--rate {} contradicts --load {}", *asked.rate, *asked.load));
  load.rate_per_second = *rate;
}

scenario parse_load(const std::string& name) try {
  return scenario::parse(name);
} catch (const std::invalid_argument& error) {
  refuse(fmt::format("--load: {}", error.what()));
}

scenario load_of(const wishes& asked) {
  scenario load{.connections = 64, .message_bytes = 512, .depth = 1};
  if (asked.load) load = parse_load(*asked.load);
  take_part(asked, "connections", asked.connections, load.connections);
  take_part(asked, "size", asked.size, load.message_bytes);
  take_part(asked, "depth", asked.depth, load.depth);
  expect_possible(load);
  take_rate(asked, load);
  load.churn = load.churn || asked.churn;
  if (load.churn && (load.depth > 1 || load.open_loop() || load.idle_connections > 0))
    refuse(
        "with churn a connection carries one message, so it goes with no rate, no depth above 1 "
        "and no idle connections");
  if (load.streams() && load.open_loop())
    refuse(fmt::format("--load {}: a stream goes as fast as it can, so it goes with no rate",
                       *asked.load));
  return load;
}

address parse_path(const std::string& path) try {
  return address::on_path(path);
} catch (const server_failed& error) {
  refuse(fmt::format("unix:PATH: {}", error.what()));
}

// Where the server is, as it was given. To resolve a name may fail like a connection.
struct target {
  std::string text;
  std::optional<host_and_port> name;  // nullopt: `path`
  address path = {};
  bool tls = false;

  address resolve() const {
    auto found = name ? address::resolve(name->host, name->port) : path;
    if (tls) found.tls_host = name ? name->host : "";
    return found;
  }
};

// Accepts "host:port", "[::1]:port", host and port as two arguments, or "unix:path".
target parse_target(const arguments& rest) {
  if (rest.size() == 1 && rest[0].starts_with(unix_sign)) {
    const auto path = parse_path(rest[0].substr(unix_sign.size()));
    return {path.text, std::nullopt, path};
  }
  const auto text = fmt::format("{}", fmt::join(rest, ":"));
  const auto colon = text.rfind(':');
  if (rest.size() > 2 || colon == std::string::npos)
    refuse("wants HOST:PORT, HOST PORT or unix:PATH");
  const auto found = host_and_port::parse(text);
  if (!found) refuse(fmt::format("port '{}' is not 1 to 65535", text.substr(colon + 1)));
  return {text, found};
}

expectation parse_limit(const char* option, const std::string& text) try {
  return expectation::parse(text);
} catch (const std::invalid_argument& error) {
  refuse(fmt::format("--{} {}", option, error.what()));
}

// Refuses before the load what would fail after it.
void expect_writable(const std::string& json) {
  namespace fs = std::filesystem;
  if (json == "-") return;
  std::error_code ignored;
  const auto folder = fs::absolute(json, ignored).parent_path();
  if (!fs::is_directory(folder, ignored))
    refuse(fmt::format("--json '{}': there is no folder {}", json, folder.string()));
  if (fs::exists(json, ignored) && !fs::is_regular_file(json, ignored))
    refuse(fmt::format("--json '{}' is no file; - stands for standard output", json));
}

int threads_of(const wishes& asked, const scenario& load) {
  const int threads = asked.threads.value_or(1);
  if (threads < 1 || threads > most_threads)
    refuse(fmt::format("--threads {} is not 1 to {}", threads, most_threads));
  if (threads > load.connections)
    refuse(fmt::format("--threads {}: each needs a connection, and there are {}", threads,
                       load.connections));
  return threads;
}

load_plan plan_of(const wishes& asked) {
  load_plan plan{.load = load_of(asked)};
  plan.threads = threads_of(asked, plan.load);
  const char* usual = asked.find_rate ? usual_duration_of_a_search : usual_duration;
  plan.length = parse_duration("duration", asked.duration.value_or(usual));
  for (const auto& each : asked.expect) plan.expectations.push_back(parse_limit("expect", each));
  if (asked.json) expect_writable(*asked.json);
  if (!asked.find_rate) return plan;

  plan.limit = parse_limit("find-rate", *asked.find_rate);
  if (plan.limit->is_of_rate() || !plan.limit->is_upper_limit())
    refuse(fmt::format("--find-rate '{}' wants an upper limit of a time, as in 'p99<2ms'",
                       *asked.find_rate));
  if (plan.length < least_search)
    refuse("--find-rate needs a --duration of 1s at least: it is the time of all steps together");
  if (plan.load.open_loop() || plan.load.churn || plan.load.streams())
    refuse(
        "--find-rate searches the rate of an open loop, so it goes with no rate and no churn or "
        "stream");
  for (const auto& each : plan.expectations)
    if (!each.is_of_rate())
      refuse(
          fmt::format("--expect '{}': beside --find-rate only the rate can be expected, as in "
                      "'rate>50k'",
                      each.text()));
  return plan;
}

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

// A closed loop for a moment says where to begin. It has one message on each connection: many more
// could keep a slow server for longer than the whole search may take.
double glance_at(const address& where, const load_plan& plan, const std::atomic<bool>& stop) {
  auto shape = plan.load;
  shape.depth = 1;
  load_team clients{shape, plan.threads, stop};
  clients.connect(where);
  load_sample full;
  clients.load(std::min<std::chrono::nanoseconds>(1s, plan.length / 20), 0, full);
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
void load_server(load_team& clients, const target& wanted, const load_plan& plan,
                 const std::atomic<bool>& stop, load_outcome& found) {
  const auto begun = clock::now();
  const auto where = wanted.resolve();
  found.target = where.text;
  const double full = plan.limit ? glance_at(where, plan, stop) : 0;
  clients.connect(where);
  found.prefix = clients.prefix();
  plan.limit ? search(clients, plan, begun, full, found) : measure(clients, plan, found);
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
  wishes asked;
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
    load_team clients{plan.load, plan.threads, stop};
    load_server(clients, where, plan, stop, found);
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
