// duel: two servers side by side while they run, and what can be said of them so far.
//
//     duel match{"fibers/epoll", "asio-callback/epoll", scenario};
//     match.score().show(slice, pss_kib);     // ten times a second
//     match.score().count(measured_block);    // once a round
//     match.change_load(other);               // another scenario is another row
//
// Every round starts both servers afresh and is one value, so the interval that narrows on the
// screen is an honest one: more looks at the same launch would not be.
#pragma once

#include <bench/record/record.hpp>
#include <bench/statistics/statistics.hpp>
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What one side shows right now.
struct duelist {
  std::string name;
  std::deque<slice> slices;  // the latest last
  std::optional<double> pss_kib;
  double slowest_us = 0;  // of all slices, also of those that are forgotten

  // Not of a server that was not started here.
  bool cpu_is_known() const { return slices.empty() || slices.back().cpu_ns.has_value(); }
};

// One load, and what it has shown.
struct duel_score {
  bench::scenario scenario;
  duelist left;                       // the contender
  duelist right;                      // the base of the ratio
  std::vector<block> rounds;          // complete ones
  std::vector<memory_sample> memory;  // of each side, when its first round ended
  std::vector<double> log_ratios;     // ln(left / right) of CPU per message, one a round
  std::vector<estimate> history;      // the ratio, as it was after each round

  // The round that comes next, without slices; whose turn it is to be first is in its order.
  block next_round() const;

  // A slice that was just measured; `launch` says whose it is.
  void show(const slice& timed, std::optional<double> pss_kib);

  // A whole round: its slices give one value.
  void count(block round);

  // Of CPU per message, left / right.
  estimate ratio() const;

  // "fibers/epoll against asio-callback/epoll: cheaper by 4.1 % [3.3, 4.9]"
  std::string verdict() const;
};

class duel {
 public:
  duel(std::string left, std::string right, const scenario& shape);

  duel_score& score() { return rows_[current_]; }
  const duel_score& score() const { return rows_[current_]; }
  const std::vector<duel_score>& rows() const { return rows_; }

  // Another load has another score, which begins anew; a load that was there before goes on with
  // its own.
  void change_load(const scenario& shape);

  std::chrono::duration<double> elapsed{};
  std::chrono::duration<double> length{};
  std::string note;  // what the last key did

 private:
  std::string left_;
  std::string right_;
  std::vector<duel_score> rows_;
  std::size_t current_ = 0;
};

// One line, for a pipe.
std::string duel_line(const duel& match);

}  // namespace bench
