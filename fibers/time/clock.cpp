#include <fibers/time/clock.hpp>

#include <time.h>

#include <utility>

namespace fibers {

thread_local constinit virtual_clock* virtual_clock::newest_ = nullptr;

clock::time_point clock::now() noexcept {
  if (const auto* replaced = virtual_clock::newest_) [[unlikely]]
    return replaced->time_;
  return std::chrono::steady_clock::now();
}

clock::time_point coarse_now() noexcept {
  if (const auto* replaced = virtual_clock::newest_) [[unlikely]]
    return replaced->time_;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return clock::time_point{std::chrono::seconds{now.tv_sec} +
                           std::chrono::nanoseconds{now.tv_nsec}};
}

virtual_clock::virtual_clock(const clock::time_point& time) noexcept
    : time_{time}, older_{std::exchange(newest_, this)} {}

virtual_clock::~virtual_clock() {
  auto** at = &newest_;
  while (*at != this) at = &(*at)->older_;
  *at = older_;
}

}  // namespace fibers
