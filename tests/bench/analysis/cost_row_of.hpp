// cost_row_of: the row of a server under a load. Throws std::logic_error if there is none.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {
inline std::ostream& operator<<(std::ostream& out, finding what) {
  return out << static_cast<int>(what);
}
}  // namespace bench

inline const bench::cost_row& row_of(const bench::results& found, std::string_view scenario,
                                     std::string_view contender) {
  for (const auto& row : found.costs)
    if (row.scenario.text() == scenario && row.contender.server == contender) return row;
  throw std::logic_error{"no such row: " + std::string{scenario} + " " + std::string{contender}};
}
