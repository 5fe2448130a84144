// selftest: what the instrument proves of itself before anybody believes it.
//
//     same       a server against itself is not called different
//     injected   a microsecond added to each message is found, and about its size
//     omission   a server stopped for 100 ms shows in the open loop's p99, not in the closed one's
//     refusal    a server that answers other bytes than it was sent is refused, not scored
//     client     the load generator is on time, and its histograms tell what was recorded
//
// Each is judged here from what was measured, so the tests judge what nobody measured.
#pragma once

#include <bench/record/record.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bench {

struct proof {
  bool holds = false;
  std::string words;  // what was seen, and what was to be seen where it does not hold
};

// The estimate over the blocks lies within the margin that the same blocks give, and the verdict is
// neither cheaper nor dearer. In noise of grade D that proves nothing, so it does not hold.
proof judge_same(const std::vector<block>& blocks);

// "Dearer" is the verdict, and the difference is 0.5 to 1.3 of what was injected: batching hides a
// part of it, and what is beside it in a burned microsecond may add to it.
proof judge_injected(const std::vector<block>& blocks, double injected_ns);

// Half of the pause is in the open loop's p99, and less than half in the closed loop's.
proof judge_omission(const slice& closed, const slice& open, double pause_us);

// What became of a server that answers wrong: the reason why it was refused; absent: it was scored.
struct refusal {
  std::string server;
  std::optional<std::string> reason;
};
proof judge_refusal(const std::vector<refusal>& seen);

// How late messages were sent in an open loop at half of what the server can do, and how far any
// percentile of a histogram was from that of the values recorded.
struct client_check {
  double ceiling_per_second = 0;
  double late_p99_us = 0;
  double worst_percentile_error = 0;  // a fraction
};
proof judge_client(const client_check& seen);

// Of that many values between a nanosecond and a minute.
double worst_percentile_error(int values, std::uint64_t seed);

}  // namespace bench
