#include <bench/command/shell/run_help.hpp>

#include <fmt/format.h>

#include <array>
#include <bench/measure/schedule.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/wrapped.hpp>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {
namespace {

// Tables stand in the manual page too, which indents them.
constexpr int table_width = 73;

using row = std::pair<std::string, std::string>;

std::string lines_of(const std::vector<row>& rows) {
  std::string text;
  for (const auto& [name, meaning] : rows) text += fmt::format("  {:<21} {}\n", name, meaning);
  return text;
}

std::string suites_table() {
  std::string text;
  for (const auto& each : suite_summaries())
    text += fmt::format("  {:<11} {:>5}  {}", each.name, clock_text(each.expected),
                        wrapped(each.purpose, table_width, 21, 21));
  return text;
}

// One row per library, with the reactors that the catalogue has for it.
std::string servers_table() {
  std::vector<row> rows;
  for (const auto& each : bundled_servers()) {
    const auto slash = each.name.find('/') + 1;
    const auto library = each.name.substr(0, slash);
    const auto reactor = each.name.substr(slash);
    if (rows.empty() || rows.back().first != library)
      rows.emplace_back(library, reactor);
    else
      rows.back().second += ", " + reactor;
  }
  return lines_of(rows);
}

const std::vector<row> suffixes{{".../t2", "two threads, each with a loop of its own"},
                                {".../t2/shared", "two threads that share one loop (asio only)"},
                                {".../spin50us", "polls so long before it sleeps (fibers only)"},
                                {".../gather50us", "sleeps so long for several (io_uring)"},
                                {".../inject1000ns", "burns so much CPU on each message"},
                                {".../buffered", "reads fields through a buffer"},
                                {".../sparing", "and awaits only what that lacks (asio only)"},
                                {".../unix", "listens on a path instead of a port"}};

const std::vector<row> loads{{"c64/512", "64 connections, messages of 512 bytes"},
                             {"c64/512+10000idle", "and 10,000 silent connections"},
                             {"c64/512/d16", "16 messages outstanding on each connection"},
                             {"c64/512/r20k", "open loop: 20,000 messages per second"},
                             {"c64/512/r50%", "open loop: half of what the slower server can do"},
                             {"c64/512/churn", "a new connection for each message"},
                             {"c1/64K/stream", "two messages ahead, or more up to 64 KiB"},
                             {"c1/64K/oneway", "the same, acknowledged and not echoed"},
                             {"c64/json", "HTTP requests; also c64/plaintext, /d16"},
                             {"c1/fields", "structures, which are read field by field"},
                             {"c64/512/tls", "any load of echoes under TLS"},
                             {"c16/64/churn/tls", "so a TLS handshake for each message"}};

const std::vector<row> exit_codes{{"0", "measured; with --gate: no server rose by more"},
                                  {"1", "with --gate: a server rose by more"},
                                  {"2", "usage"},
                                  {"3", "the run is invalid, or nobody could be told"},
                                  {"4", "with --gate: the run cannot tell"},
                                  {"6", "a host is gone; --resume DIR goes on"},
                                  {"130", "interrupted; what was measured is reported"}};

constexpr std::string_view own_servers =
    "--server 'mine=./my_echo --port {port}' compares mine with asio-callback/epoll and with "
    "fibers/epoll: {port} becomes a free port, and mine is ready when it accepts connections "
    "there. Before anything is timed every byte of its replies is compared; a prefix is found by "
    "itself, and the report says which. --target api=10.0.0.1:25000 does the same with a server "
    "that runs already: it is loaded alone, and has throughput and latency, but no CPU and no "
    "memory.\n\n";

constexpr std::string_view other_hosts =
    "--from a,b loads the servers from other hosts, --on server starts them on another one, where "
    "this build lies in the same folder; --launcher starts a program there, by default ssh. The "
    "bundled servers then listen on all addresses of their host, one of --server must listen where "
    "the load reaches it, and that is where the name of the host leads, or at --on "
    "server=10.0.0.2. Servers that run here are reached at the address of this machine on the way "
    "to the first of the other hosts, or at --on localhost=10.0.0.1.\n\n";

constexpr std::string_view which_pairs =
    "--servers a,b,c compares b with a and c with a instead of what the suite compares; a,a "
    "compares a server with itself. The bare loop (floor) of the same reactor rides along wherever "
    "both servers share one. What this machine or build does not have is left out, and the report "
    "says so.\n\n";

constexpr std::string_view other_builds =
    "Did a change make it slower? --against ../before compares the fibers of this build, or each "
    "of the bundled servers that --servers names, with the same server of another build, in the "
    "same blocks: of a checkout that was built, its build folder or the folder of its programs. "
    "With --gate 3% the exit code says whether a server uses over 3 % more CPU per message than "
    "its base over all loads.\n\n";

constexpr std::string_view stopping =
    "--until-sure ends the run after the round that settles who uses less CPU per message over all "
    "loads, or with --gate the gate, and at the latest after all rounds. Its intervals are wider, "
    "since they are looked at after each round. Where the servers differ by 5 % or more, half of "
    "the rounds mostly suffice. Single loads may be inconclusive then.\n\n";

constexpr std::string_view resuming =
    "A run that was interrupted or killed goes on with --resume DIR, from the same folder and on "
    "the same machine and build. If a host of the load is gone, --resume DIR --without HOST goes "
    "on without it.\n\n";

}  // namespace

std::string run_help() {
  return fmt::format(
      "Suites, each with what it takes here:\n{}\nServers:\n{}\nAt the end of a name may stand, in "
      "this order:\n{}\nLoads:\n{}\n{}{}{}{}{}{}Exit code:\n{}",
      suites_table(), servers_table(), lines_of(suffixes), lines_of(loads), which_pairs,
      own_servers, other_hosts, other_builds, stopping, resuming, lines_of(exit_codes));
}

}  // namespace bench
