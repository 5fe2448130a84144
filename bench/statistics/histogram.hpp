// histogram: how long things took, without keeping each of them.
//
//     histogram latency;
//     latency.record(81'000);          // nanoseconds; a few instructions
//     latency.percentile(99) / 1000;   // microseconds
//
// The layout is that of an HdrHistogram with two significant digits: every power of two is cut into
// 128 equal buckets, so a percentile is off by less than 0.8 %, from a nanosecond to 18 minutes, in
// 34 KiB. A bucket answers with the highest value that it holds, as there: every HdrHistogram
// finds the same percentiles in the same counts.
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
  static constexpr std::uint64_t highest = (std::uint64_t{1} << top_bit) - 1;  // counts above too
  static constexpr std::size_t buckets = (top_bit - part_bits + 1) * parts;

  void record(std::uint64_t value) { ++counts_[bucket_of(value)]; }

  void add(std::size_t bucket, std::uint64_t count) { counts_[bucket] += count; }
  void merge(const histogram& other);

  std::uint64_t count() const;
  std::uint64_t max() const;  // 0 where nothing was recorded

  // The smallest value that `percent` of all are no greater than; 0 where nothing was recorded.
  double percentile(double percent) const;

  const std::array<std::uint64_t, buckets>& counts() const { return counts_; }
  static std::uint64_t lowest_in(std::size_t bucket);
  static std::uint64_t highest_in(std::size_t bucket);

 private:
  static std::size_t bucket_of(std::uint64_t value);

  std::array<std::uint64_t, buckets> counts_{};
};

// In the header because it runs once a message.
inline std::size_t histogram::bucket_of(std::uint64_t value) {
  if (value < parts) return static_cast<std::size_t>(value);
  const int top = 63 - __builtin_clzll(value);
  if (top >= top_bit) return buckets - 1;
  const int shift = top - part_bits;
  return static_cast<std::size_t>(shift) * parts + static_cast<std::size_t>(value >> shift);
}

}  // namespace bench
