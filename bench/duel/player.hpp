// player: plays a duel round by round, shows it, and does what the pressed keys say.
//
//     duel_player{bed, match, screen.get(), nullptr, limits, save}.play(10min);
//
// All of this runs on one thread: it draws and reads the keys between two slices of 100 ms. Replies
// that wait meanwhile are received before the next slice begins.
#pragma once

#include <bench/duel/duel.hpp>
#include <bench/duel/full_screen.hpp>
#include <bench/duel/keys.hpp>
#include <bench/duel/recording.hpp>
#include <bench/duel/view.hpp>
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
  using saving = std::function<std::string()>;  // saves the duel and returns a note about where

  // With `screen` null, each round prints a line to standard output. With `recorder` null, nothing
  // is recorded.
  duel_player(live_test_bed& bed, duel& match, full_screen* screen, duel_recorder* recorder,
              const duel_limits& limits, saving save)
      : bed_{bed},
        match_{match},
        screen_{screen},
        view_{screen},
        recorder_{recorder},
        limits_{limits},
        save_{std::move(save)} {}

  // Plays until `length` has passed, or the user quits, or until the verdict is settled where that
  // is wanted. A round begins only if it should end in time.
  void play(clock::duration length, bool until_sure = false);

 private:
  void play_round();
  bool has_time_for(int slice) const;
  void happen(duel_event event);
  void say(std::string note);
  void launch(const block& round);
  std::vector<slice> load(std::chrono::milliseconds length);
  std::vector<slice> measure(const std::string& order);
  void keep(const block& round, const std::vector<slice>& measured, int position);
  void obey_keys();
  void obey(duel_action action);
  void pause(char letter);
  void change_load(duel_action action);

  live_test_bed& bed_;
  duel& match_;
  full_screen* screen_;
  duel_view view_;
  duel_recorder* recorder_;
  duel_limits limits_;
  saving save_;
  clock::time_point start_ = clock::now();
  clock::time_point over_ = clock::time_point::max();
  std::vector<std::size_t> all_;  // the launches of the round
  std::optional<char> to_pause_;  // the letter of the server in block::order
  bool disturbed_ = false;
  bool breaks_off_ = false;
  bool quits_ = false;
};

}  // namespace bench
