#include <algorithm>
#include <bench/load/open_loop.hpp>
#include <cmath>

namespace bench {

open_loop::open_loop(double per_second, std::int64_t start_ns)
    : interval_ns_{1e9 / per_second}, start_ns_{start_ns} {}

void open_loop::offer(std::uint32_t connection, std::int64_t now_ns) {
  free_.push_back({connection, now_ns});
}

std::optional<open_loop::sending> open_loop::take(std::int64_t now_ns) {
  const auto due = due_ns(next_);
  if (free_.empty() || due > now_ns) return std::nullopt;
  const auto chosen = free_.front();
  free_.pop_front();
  ++next_;
  return sending{chosen.number, due, now_ns - std::max(due, chosen.since_ns)};
}

std::optional<std::int64_t> open_loop::next_ns() const {
  if (free_.empty()) return std::nullopt;
  return due_ns(next_);
}

bool open_loop::has_taken_all_until(std::int64_t now_ns) const {
  return due_ns(next_) > now_ns;
}

std::int64_t open_loop::due_until(std::int64_t now_ns) const {
  if (now_ns < start_ns_) return 0;
  return static_cast<std::int64_t>(static_cast<double>(now_ns - start_ns_) / interval_ns_);
}

std::int64_t open_loop::unsent_until(std::int64_t now_ns) const {
  return std::max<std::int64_t>(due_until(now_ns) - next_, 0);
}

// The first is due an interval after the start: at the start no run() has begun that could count
// it. Computes from the start, not from the previous message, so that rounding errors do not add up
// to another rate.
std::int64_t open_loop::due_ns(std::int64_t message) const {
  return start_ns_ + std::llround(static_cast<double>(message + 1) * interval_ns_);
}

}  // namespace bench
