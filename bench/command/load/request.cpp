#include <bench/command/load/request.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bench/measure/preparation.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/numbers.hpp>
#include <filesystem>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr const char* usual_duration = "5s";
constexpr const char* usual_duration_of_a_search = "30s";
constexpr auto least_search = 1s;
constexpr int most_threads = 1024;
constexpr std::string_view unix_sign = "unix:";

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
    "fails or answers wrong bytes, 4 the time is too short to find a rate, 6 a host of --from "
    "fails, 130 after Ctrl-C.\n"
    "The server runs already, here or elsewhere, such as fibers_echo on port 25000.";

[[noreturn]] void refuse(const std::string& what) {
  throw usage_error("echobench load: " + what);
}

// Sets a part of the load from its own option, unless the name of the load says something else.
void take_part(const load_wishes& asked, const char* option, const std::optional<int>& value,
               int& part) {
  if (!value) return;
  if (asked.load && *value != part)
    refuse(fmt::format("--{} {} contradicts --load {}", option, *value, *asked.load));
  part = *value;
}

void take_rate(const load_wishes& asked, scenario& load) {
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

scenario load_of(const load_wishes& asked) {
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

int threads_of(const load_wishes& asked, const scenario& load) {
  const int threads = asked.threads.value_or(1);
  if (threads < 1 || threads > most_threads)
    refuse(fmt::format("--threads {} is not 1 to {}", threads, most_threads));
  if (threads > load.connections)
    refuse(fmt::format("--threads {}: each needs a connection, and there are {}", threads,
                       load.connections));
  return threads;
}

// --threads is of this process, --from of others.
void take_hosts(const load_wishes& asked, load_plan& plan) {
  if (asked.hosts.from.empty()) {
    if (!asked.hosts.without.empty()) refuse("--without goes with --from");
    for (const auto& each : own_sources(asked.hosts))
      plan.sources.push_back(address::resolve_all(each, 0).front());
    return;
  }
  if (asked.threads) refuse("--threads is of this process; --from HOST:N starts N generators");
  plan.hosts = parse_hosts(asked.hosts);
  if (plan.hosts->generators() > plan.load.connections)
    refuse(fmt::format("--from: each of {} generators needs a connection, and there are {}",
                       plan.hosts->generators(), plan.load.connections));
}

}  // namespace

options options_of(load_wishes& asked) {
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
  add_host_options(wanted, asked.hosts);
  wanted.add("json", asked.json, "FILE", "write the result; - is standard output, without text");
  wanted.explain(help_of_load);
  wanted.example("load localhost:25000");
  wanted.example("load localhost:25000 --load c64/512/d16");
  wanted.example("load localhost:25000 --rate 9k --expect 'p99<2ms'");
  wanted.example("load localhost:25000 --find-rate 'p99<2ms'");
  wanted.example("load localhost:25000 --threads 2");
  wanted.example("load 10.0.0.1:25000 --from a:2,b --rate 200k");
  return wanted;
}

load_target parse_target(const arguments& rest) {
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

load_plan plan_of(const load_wishes& asked) {
  load_plan plan{.load = load_of(asked)};
  plan.threads = threads_of(asked, plan.load);
  take_hosts(asked, plan);
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

}  // namespace bench
