// view: what of a duel is on the screen: the duel now, an earlier moment of it, or the help.
//
//     duel_view view{screen.get()};
//     view.draw(match);                        // after each change
//     if (!view.takes(key, match)) ...         // a key that is not about the view
#pragma once

#include <bench/duel/duel.hpp>
#include <bench/duel/full_screen.hpp>
#include <optional>
#include <vector>

namespace bench {

class duel_view {
 public:
  // With `screen` null nothing is drawn.
  explicit duel_view(full_screen* screen) : screen_{screen} {}

  void draw(const duel& match);

  // The space bar freezes the view and releases it, `?` shows the help, and any key leaves that.
  // Returns true if the key was about the view. A note of `match` says what it did.
  bool takes(int key, duel& match);

  // The lines that draw() shows.
  std::vector<screen_line> lines(const duel& match, screen_size size, bool unicode);

 private:
  full_screen* screen_;
  std::optional<duel> frozen_;
  bool shows_help_ = false;
};

}  // namespace bench
