// verdict: the words that an interval justifies.
//
//     judge(ln_ratio, margin).words   // "lower by 4.1 % [3.3, 4.9]"
//
// All values are ln(contender / base) of CPU per message: below 0 the contender uses less. A wide
// interval never becomes "no difference": it is inconclusive, with an estimate of how many more
// blocks would settle it.
#pragma once

#include <optional>
#include <span>
#include <string>

#include <bench/statistics/looks.hpp>
#include <bench/statistics/statistics.hpp>

namespace bench {

enum class finding {
  equivalent,    // is_equivalent(): the whole interval lies inside the margin
  lower,         // the interval excludes 0, also among all rows; the estimate is below -margin
  higher,        // the same, and the estimate is above the margin
  tiny,          // the same, but the estimate is within the margin
  inconclusive,  // none of the others
  conflict,      // the intervals of duet and exclusive blocks lie on opposite sides of 0
  unmeasured,    // there is no CPU to judge, or it means nothing
};

struct verdict {
  finding what = finding::inconclusive;
  std::string words;
  // Inconclusive only: about how many would settle it; may be absent.
  std::optional<int> more_blocks;
};

// The noise of the machine, from the A/A control, in which a server is compared with itself.
struct noise {
  int blocks = 0;
  double spread = 0;  // standard deviation of ln(second launch / first launch) over blocks
  double floor = 0;   // |estimate| + half-width of its interval
  char grade = 'D';   // A: spread below 1 %; B: below 3 %; C: below 8 %; D: worse
};

// nullopt below two control blocks.
std::optional<noise> noise_of(std::span<const double> control_log_ratios);

// Differences below this do not matter, however quiet the machine is.
inline constexpr double smallest_margin = 0.01;

// max(1 %, half the noise floor). Without a control: 1 %.
double margin_of(const std::optional<noise>& measured);

// The grade of the control. Without a control: 'A', as nothing is known against the machine.
char grade_of(const std::optional<noise>& measured);

// True if the interval lies inside (-margin, +margin) and the grade is not D. If noise has widened
// the margin beyond 1 %, the interval must also contain 0: a difference that is visible counts as
// none only below 1 %.
bool is_equivalent(const interval& range, double margin, char grade);

// The place of a verdict among all of one run. That there is a difference is said only where the
// p-value, corrected for their number, is significant: so of runs in which nothing differs, at most
// one in twenty says so of any row.
struct in_family {
  // That share the significance. 0: it has no share of its own and gets one where others differ.
  std::size_t rows = 1;
  double p = 0;  // corrected
  // How often the run was looked at. Where that was throughout, nothing is said of further blocks:
  // such an interval narrows faster at first than one for one look.
  looks looked = looks::once;
};

verdict judge(const estimate& log_ratio, double margin, char grade = 'A', in_family among = {});

// The duet blocks decide. If the exclusive blocks exclude 0 on the other side: conflict.
verdict judge(const estimate& duet, const estimate& exclusive, double margin, char grade = 'A',
              in_family among = {});

}  // namespace bench
