// gather: floor_gather, for how many completions floor_uring sleeps.
//
//     const unsigned wanted = gather_.wanted();   // 1: for the first one
//     ... sleep ...
//     gather_.served(first_of_its_connection);    // for each message
//     gather_.slept(messages);                    // after a sleep for more than one
//
// The floor is to have what a library can have, so it learns by the rule that docs/notes.md
// describes: in rounds, from the connections that are active and from how busy the thread is.
#pragma once

#include <bench/contract/contract.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <utility>

namespace bench {

class floor_gather {
 public:
  explicit floor_gather(const gathering& how) : how_{how} {}

  unsigned wanted() const { return wanted_; }
  // At least a microsecond: with none the kernel would wait for all completions.
  std::chrono::microseconds window() const {
    constexpr std::chrono::microseconds automatic{50};
    return how_.automatic ? automatic : std::chrono::ceil<std::chrono::microseconds>(how_.window);
  }
  std::uint8_t round() const { return round_; }

  void slept(unsigned messages) {
    if (messages < 4 && ++poor_sleeps_ == 4) wanted_ = 1;
  }

  void served(bool first_of_connection) {
    if (first_of_connection) ++connections_;
    if (++messages_ < 64 + 4 * connections_) return;
    wanted_ = connections_ >= 16 && pays() ? std::min(connections_ / 3, 64U) : 1;
    if (connections_ < 16) busy_ = known_ = false;
    messages_ = connections_ = poor_sleeps_ = 0;
    ++round_;
  }

 private:
  static std::int64_t read(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
  }

  bool pays() {
    if (!how_.automatic) return how_.window.count() > 0;
    const auto lived = read(CLOCK_MONOTONIC), ran = read(CLOCK_THREAD_CPUTIME_ID);
    const auto passed = lived - std::exchange(lived_, lived);
    const auto used = ran - std::exchange(ran_, ran);
    busy_ = known_ && 100 * used >= (busy_ ? 60 : 85) * passed;
    known_ = true;
    return busy_;
  }

  gathering how_;
  unsigned wanted_ = 1;
  unsigned messages_ = 0;
  unsigned connections_ = 0;
  unsigned poor_sleeps_ = 0;
  std::int64_t lived_ = 0;
  std::int64_t ran_ = 0;
  bool known_ = false;  // lived_ and ran_ are those at the end of the last round
  bool busy_ = false;
  std::uint8_t round_ = 0;
};

}  // namespace bench
