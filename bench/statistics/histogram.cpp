#include <algorithm>
#include <bench/statistics/histogram.hpp>
#include <cmath>
#include <numeric>

namespace bench {
namespace {

// How many bits of a value are dropped to find its bucket.
std::size_t shift_of(std::size_t bucket) {
  return bucket < 2 * histogram::parts ? 0 : bucket / histogram::parts - 1;
}

}  // namespace

void histogram::merge(const histogram& other) {
  for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
}

std::uint64_t histogram::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::uint64_t histogram::max() const {
  for (std::size_t i = buckets; i > 0; --i)
    if (counts_[i - 1] > 0) return highest_in(i - 1);
  return 0;
}

double histogram::percentile(double percent) const {
  const auto total = count();
  if (total == 0) return 0;
  if (percent >= 100) return static_cast<double>(max());  // beyond 2^53 a rank is not exact
  // 99.9 is not a double, so 99.9 % of 1,000 could come out slightly above 999; nextafter() rounds
  // it down before ceil().
  const double share = std::nextafter(percent * static_cast<double>(total) / 100, 0.0);
  const double rank = std::max(1.0, std::ceil(share));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    seen += counts_[i];
    if (static_cast<double>(seen) >= rank) return static_cast<double>(highest_in(i));
  }
  return static_cast<double>(max());
}

std::uint64_t histogram::lowest_in(std::size_t bucket) {
  const auto shift = shift_of(bucket);
  return static_cast<std::uint64_t>(bucket - shift * parts) << shift;
}

std::uint64_t histogram::highest_in(std::size_t bucket) {
  return lowest_in(bucket) + (std::uint64_t{1} << shift_of(bucket)) - 1;
}

}  // namespace bench
