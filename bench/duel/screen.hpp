// duel screen: a duel as lines of text, as many and as wide as the terminal is.
//
//     for (const auto& line : duel_screen(match, {80, 24}, true)) ...
//
// Both sides with their numbers and sparklines, below them the ratio after every round, one under
// the other, so that one sees its interval narrow; the keys on the last line.
#pragma once

#include <bench/duel/duel.hpp>
#include <bench/duel/full_screen.hpp>
#include <vector>

namespace bench {

// As many lines as `size` is high, and none wider. ASCII unless `unicode`.
std::vector<screen_line> duel_screen(const duel& match, screen_size size, bool unicode);

// What is left to read when the screen is gone: a line for each load.
std::string duel_summary(const duel& match, int width);

}  // namespace bench
