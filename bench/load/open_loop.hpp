// open_loop: messages that are due at a fixed rate, whether or not the server keeps up.
//
//     open_loop pace{20'000, now};                      // message k is due at now + (k + 1) /
//     20,000 s pace.offer(connection, now);                      // this connection can carry a
//     message while (const auto next = pace.take(now)) ...      // several at once if they are late
//
// A closed loop sends less to a server that stalls. So it measures the stall once and omits the
// messages that would have been sent meanwhile (coordinated omission). An open loop sends them, and
// their latency counts from when they were due. Times are nanoseconds of any one clock.
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
    // Since it was due and a connection was free: the delay caused by the client.
    std::int64_t late_ns;
  };

  open_loop(double per_second, std::int64_t start_ns);

  void offer(std::uint32_t connection, std::int64_t now_ns);

  // The next message, on the connection that has been free longest. nullopt: nothing is due at
  // `now_ns`, or no connection is free.
  std::optional<sending> take(std::int64_t now_ns);

  // When the next message is due. nullopt: no connection is free, so take() returns nothing before
  // the next offer().
  std::optional<std::int64_t> next_ns() const;

  // True if every message that is due until `now_ns` has been taken.
  bool has_taken_all_until(std::int64_t now_ns) const;

  // The number of messages that became due until `now_ns`, sent or not.
  std::int64_t due_until(std::int64_t now_ns) const;

  // Those of them that take() has not returned.
  std::int64_t unsent_until(std::int64_t now_ns) const;

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
