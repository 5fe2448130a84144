// echobench duel: two servers loaded by one client, shown live in the terminal.
#include <fmt/format.h>

#include <bench/command/commands.hpp>
#include <bench/command/interruption.hpp>
#include <bench/duel/duel.hpp>
#include <bench/duel/full_screen.hpp>
#include <bench/duel/player.hpp>
#include <bench/duel/record.hpp>
#include <bench/duel/screen.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/record/run_folder.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/terminal.hpp>
#include <cstdio>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr auto length_in_a_pipe = 20s;
constexpr auto length_on_a_screen = 10min;  // a limit, in case it is forgotten

// Returns true if it was interrupted. Restores the terminal before it stops the servers, which may
// take a second.
bool play(live_test_bed& bed, duel& match, std::optional<std::chrono::milliseconds> length,
          int descriptors, duel_player::saving save) {
  auto screen = full_screen::take(style_of(stdout).colour);
  const bool live = screen != nullptr;
  const std::chrono::milliseconds usual = live ? length_on_a_screen : length_in_a_pipe;
  match.length = length.value_or(usual);
  bool stopped = false;
  try {
    duel_player{bed, match, screen.get(), descriptors, std::move(save)}.play(
        length.value_or(usual));
  } catch (const interrupted&) {
    stopped = true;
  }
  screen.reset();
  bed.abandon();
  fmt::print("{}",
             live ? duel_summary(match, style_of(stdout).width) : match.score().verdict() + '\n');
  return stopped;
}

std::vector<server_info> find_servers(arguments names, const std::vector<server_info>& added) {
  if (names.empty()) names = {"fibers/epoll", "asio-callback/epoll"};
  if (names.size() != 2) throw usage_error("echobench duel: wants two servers, or none");
  return {find_server(names[0], added), find_server(names[1], added)};
}

// Saves the duel as a run. Returns a line that says where, or why it failed.
std::string save(const duel& match, const run_header& header,
                 const std::vector<caveat>& caveats_found, std::vector<std::string>& saved) try {
  const auto record = record_of(match, header, caveats_found);
  if (record.blocks.empty()) return "nothing to save yet: no round is complete";
  const auto folder = run_folder(std::time(nullptr));
  write_run(record, folder);
  saved.push_back((folder / "report.html").string());
  return "saved: " + saved.back();
} catch (const std::exception& failure) {
  return fmt::format("not saved: {}", failure.what());
}

}  // namespace

int duel_command(const arguments& given) {
  scenario shape{.connections = 64, .message_bytes = 512, .depth = 1};
  std::string duration, pin;
  std::vector<std::string> added, targets;
  bool allow_debug = false;
  options wanted{"echobench duel", "[SERVER SERVER]",
                 "Shows two servers under one client, live. Without names: fibers/epoll and "
                 "asio-callback/epoll. The ratio is of CPU per message, the first to the second."};
  wanted.add("duration", duration, "TIME", "as in 20s, 2m; default 10m, and 20s in a pipe");
  wanted.add("connections", shape.connections, "N", "open connections to each");
  wanted.add("size", shape.message_bytes, "BYTES", "of a message, 16 to 1048576");
  wanted.add("depth", shape.depth, "N", "messages outstanding on each connection");
  wanted.add("server", added, "NAME=COMMAND", "make another echo server known by a name");
  wanted.add("target", targets, "[NAME=]HOST:PORT", "and one that runs already");
  wanted.add("pin", pin, "SERVER_CPU,CLIENT_CPU", "where to run them, or none");
  wanted.add("allow-debug", allow_debug, "also debug builds, whose times mean nothing");
  wanted.explain(
      "In a terminal the bottom line shows the keys: they change the load, pause a server for "
      "100 ms, save what was measured as a run with its reports, and quit.");
  wanted.example("duel");
  wanted.example("duel fibers/epoll floor/epoll --duration 30s");
  const auto names = wanted.parse(given);
  auto servers = find_servers(names, added_servers(added, targets));
  std::optional<std::chrono::milliseconds> length;
  if (!duration.empty()) length = parse_duration("duration", duration);
  expect_possible(shape);

  const auto& stop = catch_interruption();
  const auto descriptors = raise_descriptor_limit();
  run_header header;
  header.started_utc = utc_text(std::time(nullptr));
  header.command_line = command_line("duel", given);
  header.seed = 1;
  std::vector<caveat> caveats_found;
  header.machine = prepare_machine(pin, caveats_found);
  live_test_bed bed{servers, header.machine.server_cpu, header.seed, stop};
  introduce(servers, bed, allow_debug, caveats_found);
  header.servers = servers;
  if (!may_share_a_core(servers[1].name, servers[0].name))
    caveats_found.push_back(caveats::unlike_reactors{servers[1].name, servers[0].name});
  for (const auto& each : caveats_found) tell(stderr, "note: {}\n", text_of(each));

  duel match{servers[0].name, servers[1].name, shape};
  std::vector<std::string> saved;
  const bool stopped = play(bed, match, length, descriptors,
                            [&] { return save(match, header, caveats_found, saved); });
  for (const auto& each : saved) fmt::print("{}\n", each);
  return stopped ? exit_interrupted : 0;
}

}  // namespace bench
