// some_duel: a duel with made-up rounds and seeded noise. It starts no server.
//
//     auto match = some_duel();       // 20 rounds; the left server costs 0.95 of the right one,
//     and
//                                     // the bare loop 0.9
//     play(match, 6, 1.1);            // 6 more, in which it costs 1.1 of the right one
#pragma once

#include <bench/analysis/block_values.hpp>
#include <bench/duel/duel.hpp>
#include <bench/duel/full_screen.hpp>
#include <bench/record/scenario.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <random>
#include <string>
#include <vector>

inline bench::slice timed(int launch, double cost_ns, double slowest_us = 900) {
  bench::slice each;
  each.server = launch == bench::base_launch        ? "asio-callback/epoll"
                : launch == bench::contender_launch ? "fibers/epoll"
                                                    : "floor/epoll";
  each.launch = launch;
  each.seconds = 0.1;
  each.messages = 4000;
  each.cpu_ns = cost_ns * 4000;
  each.p50_us = 612;
  each.p99_us = 834;
  each.max_us = slowest_us;
  return each;
}

// Adds rounds in which the left server costs `ratio` times as much as the right one.
inline void play(bench::duel& match, int rounds, double ratio) {
  std::mt19937 random{7};
  std::normal_distribution<double> noise{0, 0.02};
  for (int i = 0; i < rounds; ++i) {
    auto round = match.score().next_round();
    for (int position = 0; position < 8; ++position) {
      const double level = 5000 * std::exp(noise(random));
      round.slices.push_back(timed(bench::base_launch, level));
      round.slices.push_back(
          timed(bench::contender_launch, level * ratio * std::exp(noise(random))));
      match.score().show(*std::prev(round.slices.end(), 2), 1050);
      match.score().show(round.slices.back(), 1310);
      if (!match.score().floor) continue;
      round.slices.push_back(timed(bench::floor_launch, level * 0.9 * std::exp(noise(random))));
      match.score().show(round.slices.back(), 512);
    }
    match.score().count(round);
  }
}

inline bench::duel some_duel(int rounds = 20) {
  bench::duel match{{"asio-callback/epoll", "fibers/epoll", "floor/epoll"},
                    bench::scenario::parse("c64/512")};
  match.length = std::chrono::seconds{600};
  match.elapsed = std::chrono::seconds{21};
  play(match, rounds, 0.95);
  return match;
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::string text_of(const bench::screen_line& line) {
  std::string text;
  for (const auto& each : line) text += each.text;
  return text;
}

inline int columns_of(const std::string& utf8) {
  return static_cast<int>(
      std::count_if(utf8.begin(), utf8.end(), [](char each) { return (each & 0xc0) != 0x80; }));
}

// All lines of a screen, each with a newline.
inline std::string text_of(const std::vector<bench::screen_line>& lines) {
  std::string text;
  for (const auto& line : lines) text += text_of(line) + '\n';
  return text;
}
