// duel player: plays a duel round after round, shows it, and does what the keys say.
//
//     duel_player{bed, match, screen.get(), descriptors, save}.play(10min);
//
// One thread does all of it: between two slices of a tenth of a second it draws and looks at the
// keys. What waited meanwhile is answered before the next slice begins.
#pragma once

#include <bench/duel/duel.hpp>
#include <bench/duel/full_screen.hpp>
#include <bench/duel/keys.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bench {

class duel_player {
 public:
  using clock = std::chrono::steady_clock;
  using saving = std::function<std::string()>;  // says where

  // Without a screen each round is a line on standard output.
  duel_player(live_test_bed& bed, duel& match, full_screen* screen, int descriptors, saving save)
      : bed_{bed},
        match_{match},
        screen_{screen},
        descriptors_{descriptors},
        save_{std::move(save)} {}

  // Until the time is up or somebody quits. The last round begins only where it can end in time.
  void play(clock::duration length);

 private:
  void play_round();
  std::vector<slice> measure(const std::string& order);
  void keep(block& round, const std::vector<slice>& measured, int position);
  void draw();
  void obey_keys();
  void obey(duel_action action);
  void pause(char letter);
  void change_load(duel_action action);

  live_test_bed& bed_;
  duel& match_;
  full_screen* screen_;
  int descriptors_;
  saving save_;
  clock::time_point start_ = clock::now();
  std::optional<char> to_pause_;  // as in the order of the round
  bool disturbed_ = false;
  bool breaks_off_ = false;
  bool quits_ = false;
};

}  // namespace bench
