#include <fmt/format.h>

#include <bench/analysis/block_values.hpp>
#include <bench/duel/player.hpp>
#include <bench/server/process.hpp>
#include <bench/text/terminal.hpp>
#include <cstdio>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr auto warm_up = 80ms;
// An untimed stretch before each slice, which answers what waited while the screen was drawn.
constexpr auto settling = 5ms;
constexpr auto slice_length = 100ms;
constexpr auto pause_length = 100ms;
constexpr int slices_a_round = 8;  // with the launches, a round takes about a second

// Which server a letter of block::order stands for.
std::string name_of(char letter, const comparison& servers) {
  if (letter == 'F') return servers.floor.value();
  return letter == 'A' ? servers.base : servers.contender;
}

int launch_of(char letter) {
  if (letter == 'F') return floor_launch;
  return letter == 'A' ? base_launch : contender_launch;
}

}  // namespace

// Assumes that a round takes as long as the one before.
void duel_player::play(clock::duration length, bool until_sure) {
  over_ = start_ + length;
  clock::duration round{};
  const auto is_sure = [&] { return until_sure && match_.score().is_settled(); };
  while (!quits_ && !is_sure() && clock::now() - start_ + round <= length) {
    const auto round_start = clock::now();
    play_round();
    round = clock::now() - round_start;
  }
}

// Starts the servers anew. A round in which a key paused a server is not counted.
void duel_player::play_round() {
  breaks_off_ = disturbed_ = false;
  to_pause_.reset();
  happen({.round_begins = true});
  const auto round = match_.score().next_round();
  launch(round);
  for (int i = 0; (has_time_for(i) || to_pause_) && !breaks_off_; ++i) {
    keep(round, measure(round.order), i);
    view_.draw(match_);
    obey_keys();
  }
  if (breaks_off_) return bed_.abandon();
  const auto others = bed_.finish();
  if (!disturbed_) happen({.round_ends = others});
  if (screen_ != nullptr) return;
  fmt::print("{}", duel_line(match_));
  flush(stdout);
}

// At a rate out of reach a slice waits long for late replies, and a whole round would outlast the
// duel. Each slice loads all servers at once, so fewer are as fair.
bool duel_player::has_time_for(int slice) const {
  return slice == 0 || (slice < slices_a_round && clock::now() <= over_);
}

// Every change of the duel passes through here, so that a recording misses none.
void duel_player::happen(duel_event event) {
  event.at_s = static_cast<double>((clock::now() - start_) / 1ms) / 1000;
  if (recorder_ != nullptr) recorder_->append(event);
  match_.happen(event);
}

void duel_player::say(std::string note) {
  happen({.note = std::move(note)});
}

void duel_player::launch(const block& round) {
  std::vector<std::string> servers;
  all_.clear();
  for (char letter : round.order) {
    all_.push_back(servers.size());
    servers.push_back(name_of(letter, round.comparison));
  }
  bed_.launch(servers, round.scenario);
  load(warm_up);
}

std::vector<slice> duel_player::load(std::chrono::milliseconds length) {
  const int rate = match_.score().scenario.rate_per_second;
  return rate > 0 ? bed_.load_at_rate(all_, rate, length) : bed_.load(all_, length);
}

// A pause begins with the slice and ends during it, so the slice contains all replies that waited.
std::vector<slice> duel_player::measure(const std::string& order) {
  load(settling);
  const auto asleep = std::exchange(to_pause_, {});
  if (!asleep) return load(slice_length);
  const standstill stopped{*bed_.process(order.find(*asleep)), 0ms, pause_length};
  return load(pause_length + slice_length);
}

void duel_player::keep(const block& round, const std::vector<slice>& measured, int position) {
  std::vector<shown_slice> shown;
  for (std::size_t place = 0; place < measured.size(); ++place) {
    auto timed = measured[place];
    timed.server = name_of(round.order[place], round.comparison);
    timed.launch = launch_of(round.order[place]);
    timed.position = position;
    const auto* process = bed_.process(place);
    shown.push_back({std::move(timed), process != nullptr ? process->pss_kib() : std::nullopt});
  }
  happen({.slices = std::move(shown)});
}

void duel_player::obey_keys() {
  if (screen_ == nullptr) return;
  while (const auto key = screen_->pressed()) {
    if (view_.takes(*key, match_)) {
      happen({.key = *key == ' ' ? " " : "?"});  // any key leaves the help
      continue;
    }
    if (const auto action = action_of(*key)) obey(*action);
  }
}

void duel_player::obey(duel_action action) {
  switch (action) {
    case duel_action::quit:
      quits_ = breaks_off_ = true;
      return;
    case duel_action::save:
      return say(save_());
    case duel_action::pause_left:
      return pause('B');
    case duel_action::pause_right:
      return pause('A');
    default:
      return change_load(action);
  }
}

void duel_player::pause(char letter) {
  const auto& side = letter == 'A' ? match_.score().right : match_.score().left;
  if (!side.cpu_is_known()) {
    say(fmt::format("{} was not started here, so it is not paused", side.name));
    return;
  }
  to_pause_ = letter;
  disturbed_ = true;
  say(fmt::format("{} paused for {} ms; this round does not count", side.name,
                  pause_length.count()));
}

void duel_player::change_load(duel_action action) {
  if (const auto next = changed_load(match_.score().scenario, action, limits_)) {
    happen({.load = *next});
    breaks_off_ = true;
  } else {
    say("the load stays: " + load_limits(limits_));
  }
}

}  // namespace bench
