// find_rate: searches the highest rate of an open loop at which a limit holds.
//
//     rate_search search{{.seconds = 30}};
//     while (const auto rate = search.next())
//       search.add(try_at(*rate, search.step_seconds(*rate)));
//     search.best();              // 84,000: the limit held there twice
//
// It doubles the rate until the limit fails, then halves the distance. One step proves nothing,
// because a machine has hiccups: a rate holds, or fails, once two steps at it have said so. Steps
// that contradict each other are repeated until then. The search has neither a clock nor a server,
// so a test can play both.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace bench {

// What was measured at one rate.
struct rate_step {
  double rate_per_second = 0;        // that were due
  double answered_per_second = 0;    // that were answered
  double measured = 0;               // what the limit is about
  bool holds = false;                // the limit, and the server kept up
  bool saturated = false;            // the server did not keep up
  bool client_is_the_limit = false;  // it needed its whole core, or was late itself
  double seconds = 0;                // that the step took
};

enum class rate_limiter { none_met, latency, server, client };

class rate_search {
 public:
  struct settings {
    double seconds = 30;        // for all steps together
    double first_rate = 1000;   // where to begin: a guess, at least 1
    double highest_rate = 1e7;  // the search goes no higher
    double precision = 0.02;    // it ends when the limit lies in so small a part of the rate
    double least_step = 0.1;    // seconds
    double most_step = 5;       // unless that is too short for the other two
    double least_messages = 0;  // due in a step: fewer prove nothing
  };

  explicit rate_search(const settings& wanted) : settings_{wanted} {}

  // How long a step at `rate` should take: so that there is time for about 24, but always long
  // enough for least_step and least_messages.
  double step_seconds(double rate) const;

  // The rate to try next. nullopt: the search is over, or there is no time left for a step at that
  // rate. Depends on nothing but the steps so far.
  std::optional<double> next() const;

  void add(const rate_step& done);
  const std::vector<rate_step>& steps() const { return steps_; }

  // The highest rate that held twice and failed less often. nullopt: there is none.
  std::optional<double> best() const;

  // The lowest rate above best() that failed twice. nullopt: there is none.
  std::optional<double> lowest_failing() const;

  // True if the time did not suffice to tell of any rate whether the limit holds.
  bool cannot_tell() const { return !best() && !lowest_failing(); }

  // What made lowest_failing() fail; none_met if there is no such rate.
  rate_limiter limited_by() const;

  // False if the time was over, or highest_rate reached, before the limit was found to `precision`.
  bool is_precise() const;

 private:
  struct votes {
    int held = 0;
    int failed = 0;
    bool have_held() const { return held >= 2 && held > failed; }
    bool have_failed() const { return failed >= 2 && failed >= held; }
    bool undecided() const { return !have_held() && !have_failed(); }
  };

  std::optional<double> next_of_votes() const;
  std::optional<double> highest_promising() const;
  std::optional<double> next_to_narrow(double low, double high) const;

  settings settings_;
  std::vector<rate_step> steps_;
  std::map<double, votes> votes_;  // by rate
  double used_seconds_ = 0;
};

}  // namespace bench
