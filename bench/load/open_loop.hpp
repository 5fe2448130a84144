// open loop: messages that are due at a fixed rate, whether or not the server keeps up.
//
//     open_loop pace{20'000, now};                      // message k is due at now + k / 20,000 s
//     pace.offer(connection, now);                      // it may carry one message more
//     while (const auto next = pace.take(now)) ...      // late ones follow each other at once
//
// A closed loop asks a slow server less often just while it is slow: a stall is measured once, and
// all who would have come meanwhile are omitted. Here they come, and their time counts from when
// they were due. Times are nanoseconds of any clock.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace bench {

class open_loop {
 public:
  struct sending {
    std::uint32_t connection;
    std::int64_t due_ns;
    std::int64_t late_ns;  // since it was due and a connection was free: the client's own delay
  };

  open_loop(double per_second, std::int64_t start_ns);

  void offer(std::uint32_t connection, std::int64_t now_ns);

  // The next message, on the connection that has waited longest; absent: nothing is due, or no
  // connection is free.
  std::optional<sending> take(std::int64_t now_ns);

  // When take() will have something as far as is known; absent: not before an offer().
  std::optional<std::int64_t> next_ns() const;

  // Nothing that is due until then remains to be sent.
  bool has_taken_all_until(std::int64_t now_ns) const;

  // How many messages became due until then, sent or not.
  std::int64_t due_until(std::int64_t now_ns) const;

 private:
  struct free_connection {
    std::uint32_t number;
    std::int64_t since_ns;
  };

  std::int64_t due_ns(std::int64_t message) const;

  double interval_ns_;
  std::int64_t start_ns_;
  std::int64_t next_ = 0;  // the first message that was not taken
  std::deque<free_connection> free_;
};

}  // namespace bench
