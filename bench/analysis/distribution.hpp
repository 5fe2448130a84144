// distribution: all latencies of one server under one load, over all blocks of a run.
//
//     merged(blocks, base_launch, response_times)     // one histogram; empty: none was kept
//     distribution_of(that)->p999_us
//
// Beside the estimates over blocks, which say how far a percentile wanders from block to block:
// the rare latencies show only in all blocks together.
#pragma once

#include <bench/analysis/block_values.hpp>
#include <bench/statistics/histogram.hpp>
#include <cstdint>
#include <optional>
#include <vector>

namespace bench {

struct distribution {
  std::int64_t messages = 0;
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double max_us = 0;
  // From the smallest to p99.9 in tenths of a nine: element i is the percentile
  // 100 (1 - 10^(-i/10)), so 10 is p90, 20 is p99 and 30, the last, p99.9.
  std::vector<double> curve_us;
};

// Which histogram of a slice. In a closed loop the response is all there is.
using slice_histogram = const kept_histogram& (*)(const slice&);
const kept_histogram& response_times(const slice& timed);
const kept_histogram& service_times(const slice& timed);

// Over all slices of that launch.
histogram merged(const blocks_view& blocks, int launch, slice_histogram which);

// Absent: nothing was recorded.
std::optional<distribution> distribution_of(const histogram& times);

}  // namespace bench
