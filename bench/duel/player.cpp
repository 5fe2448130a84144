#include <fmt/format.h>

#include <bench/analysis/block_values.hpp>
#include <bench/duel/player.hpp>
#include <bench/duel/screen.hpp>
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

}  // namespace

// Assumes that a round takes as long as the one before.
void duel_player::play(clock::duration length) {
  clock::duration round{};
  while (!quits_ && clock::now() - start_ + round <= length) {
    const auto round_start = clock::now();
    play_round();
    round = clock::now() - round_start;
  }
}

// Starts the servers anew. A round in which a key paused a server is not counted.
void duel_player::play_round() {
  breaks_off_ = disturbed_ = false;
  to_pause_.reset();
  auto round = match_.score().next_round();
  std::vector<std::string> servers;
  for (char letter : round.order)
    servers.push_back(letter == 'A' ? round.comparison.base : round.comparison.contender);
  bed_.launch(servers, round.scenario);
  bed_.load({0, 1}, warm_up);
  for (int i = 0; (i < slices_a_round || to_pause_) && !breaks_off_; ++i) {
    keep(round, measure(round.order), i);
    match_.elapsed = clock::now() - start_;
    draw();
    obey_keys();
  }
  if (breaks_off_) return bed_.abandon();
  const auto others = bed_.finish();
  round.foreign_cpu_share = others.foreign_cpu_share;
  round.steal_share = others.steal_share;
  round.client_foreign_share = others.client_foreign_share;
  if (!disturbed_) match_.score().count(std::move(round));
  if (screen_ != nullptr) return;
  fmt::print("{}", duel_line(match_));
  flush(stdout);
}

// A pause begins with the slice and ends during it, so the slice contains all replies that waited.
std::vector<slice> duel_player::measure(const std::string& order) {
  bed_.load({0, 1}, settling);
  const auto asleep = std::exchange(to_pause_, {});
  if (!asleep) return bed_.load({0, 1}, slice_length);
  const standstill stopped{*bed_.process(order.find(*asleep)), 0ms, pause_length};
  return bed_.load({0, 1}, pause_length + slice_length);
}

void duel_player::keep(block& round, const std::vector<slice>& measured, int position) {
  for (std::size_t place = 0; place < measured.size(); ++place) {
    auto timed = measured[place];
    const bool is_base = round.order[place] == 'A';
    timed.server = is_base ? round.comparison.base : round.comparison.contender;
    timed.launch = is_base ? base_launch : contender_launch;
    timed.position = position;
    const auto* process = bed_.process(place);
    match_.score().show(timed, process != nullptr ? process->pss_kib() : std::nullopt);
    round.slices.push_back(std::move(timed));
  }
}

void duel_player::draw() {
  if (screen_ == nullptr) return;
  screen_->show(duel_screen(match_, screen_->size(), style_of(stdout).unicode));
}

void duel_player::obey_keys() {
  if (screen_ == nullptr) return;
  while (const auto key = screen_->pressed()) {
    if (const auto action = action_of(*key)) obey(*action);
  }
}

void duel_player::obey(duel_action action) {
  switch (action) {
    case duel_action::quit:
      quits_ = breaks_off_ = true;
      return;
    case duel_action::save:
      match_.note = save_();
      return;
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
    match_.note = fmt::format("{} was not started here, so it is not paused", side.name);
    return;
  }
  to_pause_ = letter;
  disturbed_ = true;
  match_.note = fmt::format("{} paused for {} ms; this round does not count", side.name,
                            pause_length.count());
}

void duel_player::change_load(duel_action action) {
  if (const auto next = changed_load(match_.score().scenario, action, descriptors_)) {
    match_.change_load(*next);
    breaks_off_ = true;
  } else {
    match_.note = "the load stays: " + load_limits();
  }
}

}  // namespace bench
