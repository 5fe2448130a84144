// echobench duel: two servers loaded by one client, shown live in the terminal.
#include <fmt/format.h>

#include <algorithm>
#include <bench/command/commands.hpp>
#include <bench/command/interruption.hpp>
#include <bench/duel/duel.hpp>
#include <bench/duel/full_screen.hpp>
#include <bench/duel/keys.hpp>
#include <bench/duel/player.hpp>
#include <bench/duel/record.hpp>
#include <bench/duel/recording.hpp>
#include <bench/duel/screen.hpp>
#include <bench/load/expectation.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/record/run_folder.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/terminal.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr auto length_in_a_pipe = 20s;
constexpr auto length_on_a_screen = 10min;  // a limit, in case it is forgotten
constexpr int fastest = 1000;

struct duel_options {
  scenario shape{.connections = 64, .message_bytes = 512, .depth = 1};
  std::optional<std::chrono::milliseconds> length;
  std::string pin;
  bool allow_debug = false;
  bool until_sure = false;
  std::vector<server_info> servers;
  std::optional<std::string> record;
  std::optional<std::string> replay;
  int speed = 1;
};

// Shows what `playing` does on the whole terminal, where there is one. Returns true if it was
// interrupted. Restores the terminal before it returns.
bool show(const std::function<void(full_screen*)>& playing) {
  auto screen = full_screen::take(style_of(stdout).colour);
  try {
    playing(screen.get());
  } catch (const interrupted&) {
    return true;
  }
  return false;
}

void print_result(const duel& match, bool on_screen) {
  fmt::print("{}", on_screen ? duel_summary(match, style_of(stdout).width)
                             : match.score().verdict() + '\n');
}

struct ending {
  bool stopped = false;        // by the user
  std::exception_ptr failure;  // what ended the duel early
};

bool has_a_round(const duel& match) {
  return std::any_of(match.rows().begin(), match.rows().end(),
                     [](const duel_score& row) { return !row.rounds.empty(); });
}

// Stops the servers only when the terminal is restored, since that may take a second. Also after a
// failure it prints what the complete rounds say.
ending play(live_test_bed& bed, duel& match, const duel_options& wanted, const duel_limits& limits,
            duel_player::saving save) {
  bool on_screen = false;
  const auto playing = [&](full_screen* screen) {
    on_screen = screen != nullptr;
    const std::chrono::milliseconds usual = on_screen ? length_on_a_screen : length_in_a_pipe;
    match.length = wanted.length.value_or(usual);
    std::optional<duel_recorder> recorder;
    if (wanted.record) recorder.emplace(*wanted.record, match);
    duel_player{bed, match, screen, recorder ? &*recorder : nullptr, limits, std::move(save)}.play(
        wanted.length.value_or(usual), wanted.until_sure);
  };
  ending end;
  try {
    end.stopped = show(playing);
  } catch (const std::exception&) {
    end.failure = std::current_exception();
  }
  bed.abandon();
  if (!end.failure || has_a_round(match)) print_result(match, on_screen);
  return end;
}

int play_again(const duel_options& wanted) {
  const auto recording = read_recording(*wanted.replay);
  const auto& stop = catch_interruption();
  duel shown{recording.servers, recording.load};
  shown.length = std::chrono::duration<double>{recording.length_s};
  bool on_screen = false;
  const bool stopped = show([&](full_screen* screen) {
    on_screen = screen != nullptr;
    replay(recording, screen, wanted.speed, stop, shown);
  });
  print_result(shown, on_screen);
  return stopped ? exit_interrupted : 0;
}

// The contender, the base, and their bare loop where the CPU of both is known.
std::vector<server_info> find_servers(arguments names, const std::vector<server_info>& added) {
  if (names.empty()) names = {"fibers/epoll", "asio-callback/epoll"};
  if (names.size() != 2) throw usage_error("echobench duel: wants two servers, or none");
  std::vector<server_info> found{find_server(names[0], added), find_server(names[1], added)};
  const auto floor = floor_of(found[1].name, found[0].name);
  if (floor && !found[0].target && !found[1].target) found.push_back(find_server(*floor));
  return found;
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

// Refuses what a replay would ignore, and what only a replay needs.
void expect_one_kind(const arguments& given, const arguments& names, const duel_options& wanted) {
  if (!wanted.replay) {
    if (wanted.speed != 1) throw usage_error("--speed is for --replay");
    return;
  }
  if (wanted.speed < 1 || wanted.speed > fastest)
    throw usage_error(fmt::format("--speed {} is not 1 to {}", wanted.speed, fastest));
  if (!names.empty()) throw usage_error("--replay starts no servers, so it wants no names of any");
  for (const auto& each : given)
    if (each.starts_with("--") && !each.starts_with("--replay") && !each.starts_with("--speed"))
      throw usage_error(fmt::format("--replay FILE takes no other option than --speed: {}", each));
}

// Refuses before servers start what would fail after it.
void expect_new(const std::string& recording) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto folder = fs::absolute(recording, ignored).parent_path();
  if (!fs::is_directory(folder, ignored))
    throw usage_error(
        fmt::format("--record '{}': there is no folder {}", recording, folder.string()));
  if (fs::exists(fs::symlink_status(recording, ignored)))
    throw usage_error(fmt::format("--record '{}' exists, and is not replaced", recording));
}

void expect_echoes(const std::vector<server_info>& servers) {
  for (const auto& each : servers)
    if (!serves(each.name, scenario{}))
      throw usage_error(
          fmt::format("{}: a duel is about echoes, and /buffered and /sparing go with "
                      "a load of fields",
                      each.name));
}

duel_options options_of(const arguments& given) {
  duel_options found;
  std::string duration;
  std::optional<std::string> rate;
  std::vector<std::string> added;
  std::vector<std::string> targets;
  options wanted{
      "echobench duel", "[SERVER SERVER]",
      "Shows two servers under one client, live. Without names: fibers/epoll and "
      "asio-callback/epoll. The ratios are of the first to the second. The bare loop of the same "
      "reactor runs beside them, and shows what each costs above it."};
  wanted.add("duration", duration, "TIME", "as in 20s, 2m; default 10m, and 20s in a pipe");
  wanted.add("until-sure", found.until_sure,
             "end at the first verdict, at the latest after --duration");
  wanted.add("connections", found.shape.connections, "N", "open connections to each");
  wanted.add("size", found.shape.message_bytes, "BYTES", "of a message, 16 to 1048576");
  wanted.add("depth", found.shape.depth, "N", "messages outstanding on each connection");
  wanted.add("rate", rate, "N", "an open loop: as in 20k, so many are due to each per second");
  wanted.add("server", added, "NAME=COMMAND", "make another echo server known by a name");
  wanted.add("target", targets, "[NAME=]HOST:PORT", "and one that runs already");
  wanted.add("pin", found.pin, "SERVER_CPU,CLIENT_CPU", "where to run them, or none");
  wanted.add("allow-debug", found.allow_debug, "also debug builds, whose times mean nothing");
  wanted.add("record", found.record, "FILE", "write all that happens into a new file");
  wanted.add("replay", found.replay, "FILE", "show a recorded duel again, without servers");
  wanted.add("speed", found.speed, "N", "replay so many times as fast, 1 to 1000");
  wanted.explain(
      "In a terminal the bottom line shows the keys: they change the load, pause a server for "
      "100 ms, save what was measured as a run with its reports, and quit. The key ? explains all "
      "of them, and the numbers. The intervals may be watched: you may stop when one shows what "
      "you want to know, and it is right as often as if you had looked once. That holds for each "
      "by itself, and not if something now and then disturbs one server alone.");
  wanted.example("duel");
  wanted.example("duel fibers/epoll floor/epoll --duration 30s");
  wanted.example("duel --rate 20000 --until-sure");
  const auto names = wanted.parse(given);
  expect_one_kind(given, names, found);
  found.servers = find_servers(names, added_servers(added, targets));
  expect_echoes(found.servers);
  if (!duration.empty()) found.length = parse_duration("duration", duration);
  if (rate) {
    const auto parsed = parse_rate(*rate);
    if (!parsed) throw usage_error("--rate " + not_a_rate(*rate));
    found.shape.rate_per_second = *parsed;
  }
  expect_possible(found.shape);
  if (found.record) expect_new(*found.record);
  return found;
}

comparison comparison_of(const std::vector<server_info>& servers) {
  comparison found{servers[1].name, servers[0].name, std::nullopt};
  if (servers.size() > 2) found.floor = servers[2].name;
  return found;
}

}  // namespace

int duel_command(const arguments& given) {
  auto wanted = options_of(given);
  if (wanted.replay) return play_again(wanted);
  const auto& stop = catch_interruption();
  const duel_limits limits{static_cast<int>(wanted.servers.size()), raise_descriptor_limit()};
  expect_descriptors(wanted.shape, limits);
  run_header header;
  header.started_utc = utc_text(std::time(nullptr));
  header.command_line = command_line("duel", given);
  header.seed = 1;
  std::vector<caveat> caveats_found;
  header.machine = prepare_machine(wanted.pin, caveats_found);
  live_test_bed bed{wanted.servers, header.machine.server_cpu, header.seed, stop};
  introduce(wanted.servers, bed, wanted.allow_debug, caveats_found);
  header.servers = wanted.servers;
  const auto both = comparison_of(wanted.servers);
  if (!may_share_a_core(both.base, both.contender))
    caveats_found.push_back(caveats::unlike_reactors{both.base, both.contender});
  for (const auto& each : caveats_found) tell(stderr, "note: {}\n", text_of(each));

  duel match{both, wanted.shape};
  std::vector<std::string> saved;
  const auto end =
      play(bed, match, wanted, limits, [&] { return save(match, header, caveats_found, saved); });
  for (const auto& each : saved) fmt::print("{}\n", each);
  if (end.failure) std::rethrow_exception(end.failure);
  return end.stopped ? exit_interrupted : 0;
}

}  // namespace bench
