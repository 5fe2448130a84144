// alarm: the timers of a bare loop as one timerfd, so that the loop can wait without a timeout.
//
//     floor_alarm alarm;
//     alarm.set(next_look);   // alarm.descriptor() becomes readable at next_look
#pragma once

#include <sys/timerfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

namespace bench {

class floor_alarm {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr auto never = clock::time_point::max();

  floor_alarm() : timer_{timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)} {}
  ~floor_alarm() { close(timer_); }
  floor_alarm(const floor_alarm&) = delete;
  floor_alarm& operator=(const floor_alarm&) = delete;

  int descriptor() const { return timer_; }

  void set(clock::time_point earliest) {
    itimerspec at{};  // it_value zero disarms the timer
    if (earliest != never) {
      const auto since = earliest.time_since_epoch();
      const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
      at.it_value = {.tv_sec = seconds.count(), .tv_nsec = (since - seconds).count()};
    }
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &at, nullptr);
  }

  // True if the timer expired since the last call. Resets the descriptor's readiness.
  bool rang() {
    std::uint64_t expirations = 0;
    return read(timer_, &expirations, sizeof expirations) > 0;
  }

 private:
  int timer_;
};

}  // namespace bench
