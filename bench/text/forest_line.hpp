// forest_line: draws ratios and their intervals as lines of characters on one scale (forest plot).
//
//     0.90          0.95          1.00
//              |--o--|             :
#pragma once

#include <bench/statistics/statistics.hpp>
#include <span>
#include <string>

namespace bench {

class forest_scale {
 public:
  // The scale covers every interval and 1, in `columns` characters (at least 10).
  forest_scale(std::span<const estimate> ratios, int columns, bool unicode);

  // The numbers at both ends, and 1 if there is room for it.
  std::string axis() const;

  // An interval with its estimate and the mark at 1. Without an interval: the estimate and the
  // mark. Without blocks: the mark only.
  std::string line(const estimate& ratio) const;

 private:
  int column_of(double ratio) const;

  double low_ = 1;
  double high_ = 1;
  int columns_;
  bool unicode_;
};

}  // namespace bench
