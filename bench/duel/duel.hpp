// duel: two servers that run side by side, and what their measurements show so far.
//
//     duel match{{"asio-callback/epoll", "fibers/epoll", "floor/epoll"}, scenario};
//     match.happen({.at_s = 0.3, .slices = {{slice, pss_kib}, ...}});   // ten times per second
//     match.happen({.at_s = 1.1, .round_ends = disturbance});           // gives one value
//     match.happen({.at_s = 1.1, .load = other});   // continues in the row of another scenario
//
// Every round starts all servers anew and gives one value. So an interval narrows only as
// independent blocks are added; further slices of the same launch would narrow it without reason.
// The intervals are confidence sequences: whoever watches them may stop at any moment.
#pragma once

#include <bench/analysis/block_values.hpp>
#include <bench/measure/test_bed.hpp>
#include <bench/record/record.hpp>
#include <bench/statistics/statistics.hpp>
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What the screen shows of one server now.
struct duelist {
  std::string name;
  std::deque<slice> slices;  // the latest is the last
  std::optional<double> pss_kib;
  double slowest_us = 0;  // of all slices, including those no longer in `slices`

  // The mean over the last slices, which are two seconds of load. nullopt: none has such a value.
  std::optional<double> recent(slice_value value) const;

  // False for a server that was not started here.
  bool cpu_is_known() const { return slices.empty() || slices.back().cpu_ns.has_value(); }
};

struct shown_slice {
  slice timed;  // `launch` says of which server
  std::optional<double> pss_kib;
};

// Something that happens in a duel; what is absent did not.
struct duel_event {
  double at_s = 0;                                   // since the duel began
  std::optional<bool> round_begins{};                // what an unfinished one measured is dropped
  std::optional<std::vector<shown_slice>> slices{};  // of all servers, at the same time
  std::optional<disturbance> round_ends{};           // it is complete and counts
  std::optional<scenario> load{};                    // replaces the one before
  std::optional<std::string> note{};                 // says what a key did
  std::optional<std::string> key{};                  // " " or "?": changes the view, not the duel
};

// The results of one load.
struct duel_score {
  bench::scenario scenario;
  duelist left;                       // the contender
  duelist right;                      // the base of the ratios
  std::optional<duelist> floor;       // the bare loop, where one is comparable to both
  std::vector<block> rounds;          // complete rounds only
  std::vector<memory_sample> memory;  // of each server, at the end of its first round
  std::vector<estimate> history;      // ratio() after each round that has one

  // One value per round that has it: ln(left / right) of CPU per message and of messages per
  // second, and ns of CPU per message above those of the bare loop.
  std::vector<double> cost_ratios;
  std::vector<double> rate_ratios;
  std::vector<double> left_overheads;
  std::vector<double> right_overheads;

  // The next round, without slices. Its order alternates which server starts first.
  block next_round() const;

  // Shows a slice that was just measured; `launch` says of which server.
  void show(const slice& timed, std::optional<double> pss_kib);

  // Counts a complete round: its slices give one value.
  void count(block round);

  // CPU per message, left / right.
  estimate ratio() const { return history.empty() ? estimate{} : history.back(); }

  // Messages per second, left / right, under one client and on one core: how the two divide what
  // these can do, and not what either reaches alone.
  estimate rate_ratio() const;

  // ns of CPU per message above those of the bare loop.
  estimate left_overhead() const;
  estimate right_overhead() const;

  // "fibers/epoll against asio-callback/epoll: lower by 4.1 % [3.3, 4.9]"
  std::string verdict() const;

  // True if the verdict on the two is no longer inconclusive.
  bool is_settled() const;
};

class duel {
 public:
  duel(comparison servers, const scenario& shape);

  duel_score& score() { return rows_[current_]; }
  const duel_score& score() const { return rows_[current_]; }
  const std::vector<duel_score>& rows() const { return rows_; }

  // Changes the duel as the event says. A key changes the view alone.
  void happen(const duel_event& event);

  // Continues with another load, which has a score of its own. Returning to an earlier load
  // continues its score.
  void change_load(const scenario& shape);

  std::chrono::duration<double> elapsed{};
  std::chrono::duration<double> length{};
  std::string note;        // says what the last key did
  bool is_frozen = false;  // the screen keeps showing this moment

 private:
  comparison servers_;
  std::vector<duel_score> rows_;
  std::size_t current_ = 0;
  block under_way_;
};

// The state as one line, for output that is not a terminal.
std::string duel_line(const duel& match);

}  // namespace bench
