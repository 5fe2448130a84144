// doubts: reasons not to believe that only show once the run is looked at as a whole.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <variant>
#include <vector>

namespace bench {

// Others took more of the servers' processor than that in the median block: a caveat.
inline constexpr double noisy_share = 0.05;

// The first of that kind; null: there is none.
template <class Doubt>
const Doubt* first_of(const std::vector<caveat>& doubts) {
  for (const auto& each : doubts)
    if (const auto* found = std::get_if<Doubt>(&each)) return found;
  return nullptr;
}

// What the run recorded, and after it what is found here of the kinds it did not record.
std::vector<caveat> all_doubts(const run_record& record, const results& found);

}  // namespace bench
