// duel: two servers that run side by side, and what their measurements show so far.
//
//     duel match{"fibers/epoll", "asio-callback/epoll", scenario};
//     match.score().show(slice, pss_kib);     // ten times per second
//     match.score().count(measured_block);    // once per round
//     match.change_load(other);               // continues in the row of another scenario
//
// Every round starts both servers anew and gives one value. So the interval narrows only as
// independent blocks are added; further slices of the same launch would narrow it without reason.
#pragma once

#include <bench/record/record.hpp>
#include <bench/statistics/statistics.hpp>
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What the screen shows of one side now.
struct duelist {
  std::string name;
  std::deque<slice> slices;  // the latest is the last
  std::optional<double> pss_kib;
  double slowest_us = 0;  // of all slices, including those no longer in `slices`

  // False for a server that was not started here.
  bool cpu_is_known() const { return slices.empty() || slices.back().cpu_ns.has_value(); }
};

// The results of one load.
struct duel_score {
  bench::scenario scenario;
  duelist left;                       // the contender
  duelist right;                      // the base of the ratio
  std::vector<block> rounds;          // complete rounds only
  std::vector<memory_sample> memory;  // of each side, at the end of its first round
  std::vector<double> log_ratios;     // ln(left / right) of CPU per message, one per round
  std::vector<estimate> history;      // ratio() after each round

  // The next round, without slices. Its order alternates which side starts first.
  block next_round() const;

  // Shows a slice that was just measured; `launch` says of which side.
  void show(const slice& timed, std::optional<double> pss_kib);

  // Counts a complete round: its slices give one value.
  void count(block round);

  // CPU per message, left / right.
  estimate ratio() const;

  // "fibers/epoll against asio-callback/epoll: lower by 4.1 % [3.3, 4.9]"
  std::string verdict() const;
};

class duel {
 public:
  duel(std::string left, std::string right, const scenario& shape);

  duel_score& score() { return rows_[current_]; }
  const duel_score& score() const { return rows_[current_]; }
  const std::vector<duel_score>& rows() const { return rows_; }

  // Continues with another load, which has a score of its own. Returning to an earlier load
  // continues its score.
  void change_load(const scenario& shape);

  std::chrono::duration<double> elapsed{};
  std::chrono::duration<double> length{};
  std::string note;  // says what the last key did

 private:
  std::string left_;
  std::string right_;
  std::vector<duel_score> rows_;
  std::size_t current_ = 0;
};

// The state as one line, for output that is not a terminal.
std::string duel_line(const duel& match);

}  // namespace bench
