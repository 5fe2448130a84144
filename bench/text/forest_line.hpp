// forest_line: ratios with their intervals as lines of characters under one scale.
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
  // As wide as it takes to hold every interval and 1, in `columns` characters.
  forest_scale(std::span<const estimate> ratios, int columns, bool unicode);

  // The numbers at both ends, and where 1 is between them.
  std::string axis() const;

  // Of a ratio without an interval only the estimate; of nothing only the mark at 1.
  std::string line(const estimate& ratio) const;

 private:
  int column_of(double ratio) const;

  double low_ = 1;
  double high_ = 1;
  int columns_;
  bool unicode_;
};

}  // namespace bench
