// screen: a duel as lines of text that fill the terminal.
//
//     for (const auto& line : duel_screen(match, {80, 24}, true)) ...
//
// It shows the numbers and sparklines of both sides and of the bare loop, below them a forest plot
// of the ratio after each round, in which the interval can be seen narrowing, then both ratios, the
// verdict and the keys. A larger terminal has more and longer sparklines and a higher plot. Where
// there is too little room for all that, it shows the verdict alone.
#pragma once

#include <bench/duel/duel.hpp>
#include <bench/duel/full_screen.hpp>
#include <vector>

namespace bench {

// As many lines as `size` is high, none wider than `size`. ASCII unless `unicode`.
std::vector<screen_line> duel_screen(const duel& match, screen_size size, bool unicode);

// What the keys do and the numbers mean.
std::vector<screen_line> duel_help_screen(screen_size size);

// What remains on the terminal after the screen is gone: a line per load.
std::string duel_summary(const duel& match, int width);

}  // namespace bench
