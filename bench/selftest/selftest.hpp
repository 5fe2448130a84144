// selftest: what the instrument proves about itself before its results are trusted.
//
//     same       A/A control: a server compared with itself is not called different
//     injected   1,000 ns of CPU added to each message are found, at about their size
//     omission   a 100 ms stop shows in the open loop's p99 and not in the closed loop's
//     refusal    a server that answers other bytes than it was sent is refused
//     client     the client sends on time, and its histograms return what was recorded
//
// These functions judge measurements that the caller passes in, so tests can pass in made-up ones.
#pragma once

#include <bench/record/record.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bench {

struct proof {
  bool holds = false;
  std::string words;  // what was found; if `holds` is false, also what should have been found
};

// Holds if the estimate lies within the margin that the same blocks give, and the verdict is
// neither lower nor higher. At noise grade D that would prove nothing, so it does not hold.
proof judge_same(const std::vector<block>& blocks);

// Holds if the verdict is "higher" and the interval of the difference touches 0.5 to 1.3 times what
// was injected. More than was injected is found where a slower server lets the client sleep: to
// wake it is CPU time of the server, several microseconds on some virtual machines. Batching hides
// a part of it, and side effects of the delay may add to it.
proof judge_injected(const std::vector<block>& blocks, double injected_ns);

// Holds if the open loop's p99 is at least half of the pause and the closed loop's is less.
proof judge_omission(const slice& closed, const slice& open, double pause_us);

// How a server that answers wrongly was refused; no reason: its replies were scored.
struct refusal {
  std::string server;
  std::optional<std::string> reason;
};
proof judge_refusal(const std::vector<refusal>& seen);

// How late messages were sent in an open loop at half of the server's throughput, and how far
// percentiles of a histogram were from those of the recorded values.
struct client_check {
  double ceiling_per_second = 0;
  double late_p99_us = 0;
  double worst_percentile_error = 0;  // relative, as a fraction
};
proof judge_client(const client_check& seen);

// The largest relative error of the percentiles of `values` random durations from 1 ns to 1 minute.
double worst_percentile_error(int values, std::uint64_t seed);

}  // namespace bench
