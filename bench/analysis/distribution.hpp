// distribution: all latencies of one server under one load, over all blocks of a run.
//
//     merged(blocks, base_launch, response_times)     // one histogram; empty: none was kept
//     distribution_of(that)->p999_us
//
// It complements the estimates over blocks. Those show how much a percentile varies from block to
// block; rare latencies appear only when all blocks are merged.
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
  // The percentiles from the smallest value to p99.9. Element i is the percentile 100 (1 -
  // 10^(-i/10)): 10 is p90, 20 is p99, and 30, the last, is p99.9.
  std::vector<double> curve_us;
};

// Selects a histogram of a slice. Only an open loop has service times.
using slice_histogram = const kept_histogram& (*)(const slice&);
const kept_histogram& response_times(const slice& timed);
const kept_histogram& service_times(const slice& timed);

// The sum of that histogram over all slices of one launch.
histogram merged(const blocks_view& blocks, int launch, slice_histogram which);

// nullopt: the histogram is empty.
std::optional<distribution> distribution_of(const histogram& times);

}  // namespace bench
