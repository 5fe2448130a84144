// event_wait: the clock of the load generator, and a wait for events that is as fine as that clock.
//
//     const int count = wait_for_events(epoll, events, 30us);   // -1: a signal came
//
// Times are nanoseconds of CLOCK_MONOTONIC.
#pragma once

#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <vector>

namespace bench {

inline std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// epoll_pwait2 (Linux 5.11) waits with nanosecond resolution. On older kernels this waits whole
// milliseconds and polls for the rest, so that a coarse timeout does not make a message late.
inline int wait_for_events(int epoll, std::vector<epoll_event>& events,
                           std::chrono::nanoseconds longest) {
  const auto room = static_cast<int>(events.size());
  const auto ns = std::max<std::int64_t>(longest.count(), 0);
  const timespec limit{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  const int count = epoll_pwait2(epoll, events.data(), room, &limit, nullptr);
  if (count >= 0 || errno != ENOSYS) return count;
  return epoll_wait(epoll, events.data(), room, static_cast<int>(ns / 1'000'000));
}

}  // namespace bench
