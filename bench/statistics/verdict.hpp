// verdict: the words that an interval earns, and no stronger ones.
//
//     judge(ln_ratio, margin).words   // "cheaper by 4.1 % [3.3, 4.9]"
//
// All values here are ln(contender / base) of a cost, so below zero is cheaper. A wide interval
// never becomes "no difference": it stays inconclusive, and says how many more blocks it wants.
#pragma once

#include <optional>
#include <span>
#include <string>

#include <bench/statistics/statistics.hpp>

namespace bench {

enum class finding {
  equivalent,    // the whole interval lies inside the margin, and nothing below forbids the word
  cheaper,       // the interval excludes zero, and the estimate exceeds the margin
  dearer,        // likewise
  tiny,          // the interval excludes zero, the estimate is within the margin
  inconclusive,  // none of these
  conflict,      // duet and exclusive blocks exclude zero on opposite sides
  unmeasured,    // no CPU to judge: one of the two was not started here
};

struct verdict {
  finding what = finding::inconclusive;
  std::string words;
  std::optional<int> more_blocks;  // inconclusive only: about how many would settle it
};

// What the run's A/A control says of the machine: a server against itself, block by block.
struct noise {
  int blocks = 0;
  double spread = 0;  // standard deviation of ln(second launch / first launch) over the blocks
  double floor = 0;   // |estimate| + half-width of its interval
  char grade = 'D';   // A under 1 % spread, B under 3 %, C under 8 %, D worse
};

// Absent below two control blocks.
std::optional<noise> noise_of(std::span<const double> control_log_ratios);

// What nobody minds, however quiet the machine.
inline constexpr double smallest_margin = 0.01;

// max(1 %, half the noise floor). Without a control: 1 %.
double margin_of(const std::optional<noise>& measured);

// Without a control nothing is known against the machine: 'A', at the margin of 1 %.
char grade_of(const std::optional<noise>& measured);

// The interval lies inside the margin, and the margin is not that wide for noise alone: a
// difference that shows is none only below 1 %, and at grade D nothing is.
bool is_equivalent(const interval& range, double margin, char grade);

verdict judge(const estimate& log_ratio, double margin, char grade = 'A');

// The duet blocks decide; exclusive blocks that exclude zero on the other side veto.
verdict judge(const estimate& duet, const estimate& exclusive, double margin, char grade = 'A');

}  // namespace bench
