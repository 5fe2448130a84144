// gather: whether the loop sleeps on until several messages are there.
//
//     scheduler_options{.gather = gather::off}
//     scheduler_options{.gather = gather::automatic}            // the default
//     scheduler_options{.gather = std::chrono::microseconds{100}}
//
// To sleep and to be woken can cost more than to answer a message, and so can a system call. A loop
// that sleeps until several messages are there pays for these once. The price is time: a reply, an
// accept or a post can come later, by the window at most (and by what the kernel's timer is late).
// The next deadline of the scheduler ends a window early.
//
// Only io_uring gathers, and only on Linux 6.12 or later. Elsewhere all values mean `off`.
#pragma once

#include <fibers/time/clock.hpp>

#include <algorithm>
#include <chrono>

namespace fibers {

class gather {
 public:
  // Each sleep ends with the first event.
  static const gather off;
  // Gathers for 50 us at most, and only while the thread is busy nearly all of the time. Then
  // messages wait for each other anyway, so the price is small and the gain is that of a server
  // under full load.
  static const gather automatic;
  // Gathers for `window` at most under any load, where it brings several messages. Zero or less is
  // `off`; more than a second is a second.
  template <class Rep, class Period>
  constexpr gather(std::chrono::duration<Rep, Period> window) noexcept : window_{longest} {
    if (std::chrono::duration<double>{window} < longest)
      window_ = std::max(clock::duration::zero(), std::chrono::ceil<clock::duration>(window));
  }

  constexpr clock::duration window() const noexcept { return window_; }
  constexpr bool only_when_busy() const noexcept { return only_when_busy_; }

 private:
  static constexpr std::chrono::seconds longest{1};

  constexpr gather(clock::duration window, bool only_when_busy) noexcept
      : window_{window}, only_when_busy_{only_when_busy} {}

  clock::duration window_;
  bool only_when_busy_ = false;
};

inline constexpr gather gather::off{clock::duration::zero()};
inline constexpr gather gather::automatic{std::chrono::microseconds{50}, true};

}  // namespace fibers
