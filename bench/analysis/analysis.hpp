// analysis: from what a run recorded to what it says, once, for every report.
//
//     auto found = analyse(record);
//     found.headlines.front()    // "On c64/512, fibers/epoll costs 55 ns [40, 70] a message ..."
//
// CPU per message comes from the duet blocks, throughput and latency from the exclusive ones; where
// servers cannot share a duet, as on unlike reactors, the exclusive blocks decide the cost too. A
// block is one value, however many slices it has.
#pragma once

#include <bench/analysis/distribution.hpp>
#include <bench/record/record.hpp>
#include <bench/statistics/statistics.hpp>
#include <bench/statistics/verdict.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// One block that decides: process CPU a message of each launch.
struct block_cost {
  int round = 0;
  double base_ns = 0;
  double contender_ns = 0;
  std::optional<double> floor_ns;
  double ratio = 1;  // contender / base
};

// What one server costs a message. The overhead is what it costs above the bare loop of the same
// block: the kernel's share, which wanders, is gone from it.
struct server_cost {
  std::string server;
  estimate cpu_ns;
  std::optional<estimate> overhead_ns;
};

// Two servers under one load. Ratios are contender / base, below one: the contender is cheaper.
struct cost_row {
  bench::scenario scenario;
  bench::comparison comparison;
  block_kind decided_by = block_kind::duet;  // exclusive: the servers never shared a block
  server_cost base;
  server_cost contender;
  std::optional<estimate> floor_ns;
  estimate ratio;            // of CPU per message, Hodges-Lehmann over the blocks
  estimate ratio_t;          // the same by means, with Student's interval
  estimate exclusive_ratio;  // the same from the exclusive blocks; n = 0: none
  estimate difference_ns;
  std::optional<estimate> overhead_ratio;  // only where the base's overhead is clearly positive
  std::optional<double> smallest_visible;  // half-width: the smallest difference seen as one
  std::optional<double> ljung_box_p;
  bench::verdict verdict;
  std::vector<block_cost> blocks;
};

// What one server does when it is loaded alone, closed loop.
struct server_load {
  std::string server;
  estimate messages_per_second;
  estimate p50_us;
  estimate p90_us;
  estimate p99_us;
  double client_utilisation = 0;
  bool client_limited = false;          // the number is the client's limit, not the server's
  std::optional<distribution> latency;  // all blocks together; absent in runs that kept none
};

struct load_row {
  bench::scenario scenario;
  bench::comparison comparison;
  server_load base;
  server_load contender;
  estimate throughput_ratio;  // contender / base
};

// What one server answers when messages are due at a fixed rate. Response times are from when a
// message was due, service times from when it was sent: the difference is what a closed loop omits.
struct server_response {
  std::string server;
  double answered = 0;     // of what was due, over all blocks
  bool saturated = false;  // it answered under 99 %: then nothing below was measured
  estimate response_p50_us;
  estimate response_p90_us;
  estimate response_p99_us;
  estimate service_p50_us;
  estimate service_p90_us;
  estimate service_p99_us;
  estimate late_p99_us;  // the client's own delay in sending, which response times contain
  estimate cpu_ns;       // a message, at this rate
  std::optional<distribution> response;  // all blocks together; absent in runs that kept none
  std::optional<distribution> service;
};

struct open_row {
  bench::scenario scenario;
  bench::comparison comparison;
  estimate rate_per_second;  // as asked of both
  server_response base;
  server_response contender;
};

struct memory_row {
  std::string server;
  std::vector<memory_sample> samples;
  std::optional<double> kib_per_connection;  // slope; absent below two different counts
};

// What a message asks of the kernel, loaded alone. It hardly varies, on no machine.
struct kernel_row {
  bench::scenario scenario;
  std::string server;
  std::optional<double> system_calls;  // a message; absent: they may not be counted
  double context_switches = 0;         // a message
};

struct control_row {
  bench::scenario scenario;
  std::string server;
  block_kind kind = block_kind::duet;
  std::vector<block_cost> blocks;
};

struct results {
  std::vector<std::string> headlines;  // sentences, the leading one first
  std::optional<bench::noise> noise;   // of the blocks that decide most rows
  std::optional<bench::noise>
      noise_alone;  // of exclusive ones, where rows of either kind are judged
  double margin = 0.01;
  double margin_alone = 0.01;  // for rows that exclusive blocks decide
  std::vector<control_row> controls;
  std::vector<cost_row> costs;
  std::vector<load_row> loads;
  std::vector<open_row> open_loops;
  std::vector<memory_row> memory;
  std::vector<kernel_row> kernel;
  std::int64_t messages = 0;
  std::optional<std::int64_t> checked;  // replies compared byte by byte while timed
  std::vector<caveat> caveats;          // recorded, and found here
};

results analyse(const run_record& record);

// The comparisons of the cost rows, each once, in their order; and the rows of one.
std::vector<comparison> pairs_of(const results& found);
std::vector<const cost_row*> costs_of(const results& found, const comparison& pair);

// Of the scenario that leads the report, else of the first.
std::vector<kernel_row> leading_kernel_rows(const results& found);

// The row that leads the report: of the headline scenario, else the first of whose CPU anything is
// known. Null: no row.
const cost_row* leading_row(const results& found);

}  // namespace bench
