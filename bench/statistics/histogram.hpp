// histogram: counts of durations in buckets, as in HdrHistogram.
//
//     histogram latency;
//     latency.record(81'000);          // nanoseconds; takes a few instructions
//     latency.percentile(99) / 1000;   // microseconds
//
// The layout is that of an HdrHistogram with two significant digits: each power of two is divided
// into 128 equal buckets. So a percentile is off by less than 0.8 %, from 1 ns to 18 minutes, in 34
// KiB. A percentile is the highest value of its bucket, so every HdrHistogram implementation
// computes the same percentiles from the same counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bench {

class histogram {
 public:
  static constexpr int part_bits = 7;
  static constexpr std::uint64_t parts = 1U << part_bits;
  static constexpr int top_bit = 40;
  // Larger values are counted here.
  static constexpr std::uint64_t highest = (std::uint64_t{1} << top_bit) - 1;
  static constexpr std::size_t buckets = (top_bit - part_bits + 1) * parts;

  void record(std::uint64_t value) { ++counts_[bucket_of(value)]; }

  void add(std::size_t bucket, std::uint64_t count) { counts_[bucket] += count; }
  void merge(const histogram& other);

  std::uint64_t count() const;
  std::uint64_t max() const;  // highest value of the last non-empty bucket; 0: empty

  // The smallest value which at least `percent` of all values do not exceed; 0: empty.
  double percentile(double percent) const;

  const std::array<std::uint64_t, buckets>& counts() const { return counts_; }
  static std::uint64_t lowest_in(std::size_t bucket);
  static std::uint64_t highest_in(std::size_t bucket);

 private:
  static std::size_t bucket_of(std::uint64_t value);

  std::array<std::uint64_t, buckets> counts_{};
};

// Inline, because it runs once per message.
inline std::size_t histogram::bucket_of(std::uint64_t value) {
  if (value < parts) return static_cast<std::size_t>(value);
  const int top = 63 - __builtin_clzll(value);
  if (top >= top_bit) return buckets - 1;
  const int shift = top - part_bits;
  return static_cast<std::size_t>(shift) * parts + static_cast<std::size_t>(value >> shift);
}

}  // namespace bench
