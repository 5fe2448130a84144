// gather_control: how many messages the next sleep of a reactor should bring.
//
//     gather_control control{gather::automatic};
//     const auto wanted = control.wanted();
//     ... sleep until `wanted` messages are there or control.window() has passed ...
//     if (wanted > 1) control.slept(messages);
//     for (each message) control.came(is_the_first_of_its_connection_in(control.round()));
//
// It knows no reactor, so tests drive it with messages and times of their own.
#pragma once

#include <fibers/gather.hpp>

#include <chrono>
#include <cstdint>

namespace fibers {

// How long a thread has lived and how much of that it has run.
struct thread_times {
  std::chrono::nanoseconds lived;
  std::chrono::nanoseconds ran;
};
thread_times times_of_this_thread() noexcept;

// Learns in rounds of some hundred messages.
//
// It counts the connections that sent something in a round, and wants a third of them in the next:
// the others wait for a reply meanwhile, or their next message is on its way. Idle connections do
// not count, and a few are not worth it. A sleep that ends with a timer costs more than one that
// ends with a message. So if four sleeps of a round bring too little, the rest of the round is
// without. `automatic` begins where the thread ran for 85 % of a round or more, and ends below 60
// %: what it saves makes the thread less busy.
class gather_control {
 public:
  static constexpr unsigned most_wanted = 64;

  explicit gather_control(gather how, thread_times (*look)() = times_of_this_thread) noexcept
      : how_{how}, look_{look} {}

  clock::duration window() const noexcept { return how_.window(); }

  // How many messages the next sleep should bring; 1: it ends with the first event.
  unsigned wanted() const noexcept { return wanted_; }

  // A sleep for wanted() messages, which were several, has brought so many.
  void slept(unsigned brought) noexcept {
    if (brought < least && ++poor_ == most_poor) wanted_ = 1;
  }

  // The number of the round, to be noted where the messages of each connection are counted.
  std::uint8_t round() const noexcept { return round_; }

  // A message came; `first`: of its connection in this round.
  void came(bool first) noexcept {
    active_ += first ? 1 : 0;
    if (++messages_ >= shortest_round + 4 * active_) [[unlikely]]
      end_round();
  }

 private:
  static constexpr unsigned least = 4;  // a sleep that brings fewer has cost more than it saved
  static constexpr unsigned most_poor = 4;
  static constexpr unsigned shortest_round = 64;
  static constexpr unsigned few = 16;  // connections for which it does not pay

  void end_round() noexcept;
  bool pays() noexcept;

  gather how_;
  thread_times (*look_)();
  thread_times before_{};  // at the end of the last round with enough connections
  bool looked_ = false;    // before_ is that of the last round
  bool on_ = false;
  unsigned wanted_ = 1;
  unsigned poor_ = 0;
  unsigned active_ = 0;
  unsigned messages_ = 0;
  std::uint8_t round_ = 0;
};

}  // namespace fibers
