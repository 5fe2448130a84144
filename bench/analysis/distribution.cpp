#include <bench/analysis/distribution.hpp>
#include <cmath>

namespace bench {
namespace {

constexpr int curve_end = 30;  // p99.9

double percentile_at(int tenths_of_a_nine) {
  return 100 * (1 - std::pow(10, -tenths_of_a_nine / 10.0));
}

}  // namespace

const kept_histogram& response_times(const slice& timed) {
  return timed.latency;
}

const kept_histogram& service_times(const slice& timed) {
  static const kept_histogram none;
  return timed.open_loop ? timed.open_loop->service : none;
}

histogram merged(const blocks_view& blocks, int launch, slice_histogram which) {
  histogram all;
  for (const auto* each : blocks)
    for (const auto& timed : each->slices)
      if (timed.launch == launch && which(timed)) all.merge(*which(timed));
  return all;
}

std::optional<distribution> distribution_of(const histogram& times) {
  if (times.count() == 0) return std::nullopt;
  const auto us = [&](double percent) { return times.percentile(percent) / 1000; };
  distribution found{
      static_cast<std::int64_t>(times.count()), us(50), us(90), us(99), us(99.9), us(100), {}};
  for (int i = 0; i <= curve_end; ++i) found.curve_us.push_back(us(percentile_at(i)));
  return found;
}

}  // namespace bench
