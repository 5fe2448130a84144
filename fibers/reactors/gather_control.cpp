#include <fibers/reactors/gather_control.hpp>

#include <algorithm>
#include <ctime>
#include <utility>

namespace fibers {
namespace {

std::chrono::nanoseconds time_of(clockid_t which) noexcept {
  timespec now{};
  ::clock_gettime(which, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

}  // namespace

thread_times times_of_this_thread() noexcept {
  return {time_of(CLOCK_MONOTONIC), time_of(CLOCK_THREAD_CPUTIME_ID)};
}

void gather_control::end_round() noexcept {
  wanted_ = active_ >= few && pays() ? std::min(active_ / 3, most_wanted) : 1;
  if (active_ < few) looked_ = on_ = false;
  ++round_;
  active_ = messages_ = poor_ = 0;
}

// Whether the round that ends now says that the next one should gather.
bool gather_control::pays() noexcept {
  if (how_.window() == clock::duration::zero()) return false;
  if (!how_.only_when_busy()) return true;
  const auto now = look_();
  const auto before = std::exchange(before_, now);
  if (!std::exchange(looked_, true)) return false;
  const auto busy_percent = on_ ? 60 : 85;
  on_ = 100 * (now.ran - before.ran) >= busy_percent * (now.lived - before.lived);
  return on_;
}

}  // namespace fibers
