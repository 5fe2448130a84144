// analysis: computes what a run says from what it recorded, once for all forms of report.
//
//     auto found = analyse(record);
//     found.headlines.front()   // "Over 7 loads, fibers/epoll uses 6.6 % less CPU per message ..."
//
// CPU per message comes from the duet blocks, throughput and latency from the exclusive blocks.
// Servers that cannot share a CPU, such as those on unlike reactors, have no duets: their exclusive
// blocks decide CPU per message too. The unit of replication is the block: its slices are averaged
// into one value.
#pragma once

#include <bench/analysis/distribution.hpp>
#include <bench/record/record.hpp>
#include <bench/statistics/statistics.hpp>
#include <bench/statistics/verdict.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// One deciding block: process CPU per message of each server.
struct block_cost {
  int round = 0;
  double base_ns = 0;
  double contender_ns = 0;
  std::optional<double> floor_ns;
  double ratio = 1;  // contender / base
};

// CPU per message of one server. The overhead is its CPU per message minus that of the bare loop
// (`floor`) in the same block. The kernel's share, which varies over time, cancels out.
struct server_cost {
  std::string server;
  estimate cpu_ns;
  std::optional<estimate> overhead_ns;
};

// Two servers under one load. Ratios are contender / base; below 1 the contender uses less CPU.
struct cost_row {
  bench::scenario scenario;
  bench::comparison comparison;
  block_kind decided_by = block_kind::duet;  // exclusive: the pair has no duet blocks
  server_cost base;
  server_cost contender;
  std::optional<estimate> floor_ns;
  // Of CPU per message; Hodges-Lehmann over the blocks. Its interval is widened where the blocks of
  // the run are correlated.
  estimate ratio;
  estimate ratio_t;          // the ratio of geometric means, with Student's t interval
  estimate exclusive_ratio;  // `ratio` from the exclusive blocks; n = 0: there are none
  estimate difference_ns;
  std::optional<estimate> overhead_ratio;  // absent unless the base's overhead is clearly above 0
  // Half-width of the interval: about the smallest difference that this row can tell from 0.
  std::optional<double> smallest_visible;
  std::optional<double> ljung_box_p;
  // p-value of "no difference", corrected for the number of rows of the run; absent: not judged, or
  // judged by itself.
  std::optional<double> p_in_run;
  bench::verdict verdict;
  std::vector<block_cost> blocks;
};

// contender / base of one metric, and what may be said of it.
struct judged_ratio {
  estimate ratio;                  // n = 0: it would not be that of the servers
  std::optional<double> p_in_run;  // as cost_row::p_in_run
  bench::verdict verdict;
};

// One server loaded alone in a closed loop.
struct server_load {
  std::string server;
  estimate messages_per_second;
  estimate p50_us;
  estimate p90_us;
  estimate p99_us;
  double client_utilisation = 0;
  bool client_limited = false;          // the client, not the server, limited the throughput
  std::optional<distribution> latency;  // of all blocks; absent if the run kept no histograms
};

struct load_row {
  bench::scenario scenario;
  bench::comparison comparison;
  server_load base;
  server_load contender;
  estimate throughput_ratio;  // contender / base; n = 0: it would not be that of the servers
  // As cost_row::p_in_run. Absent, both, in reports of older versions.
  std::optional<double> throughput_p;
  std::optional<bench::verdict> throughput_verdict;
  // Of latency; below 1 the contender answers sooner. Absent in reports of older versions; p99 also
  // where has_calm_tail() is false.
  std::optional<judged_ratio> p50;
  std::optional<judged_ratio> p99;
};

// Two servers over all loads of the run in a closed loop, each load with the same weight.
struct overall_metric {
  std::vector<bench::scenario> loads;  // judged, and without a conflict
  estimate ratio;                      // contender / base; n: rounds that have all these loads
  bench::verdict verdict;
};

struct overall_row {
  bench::comparison comparison;
  std::optional<overall_metric> cpu;         // per message; absent: it is known of no load
  std::optional<overall_metric> throughput;  // absent: on no load is it that of the servers
};

// One server under messages that are due at a fixed rate (open loop). Response time counts from
// when a message was due, service time from when it was sent. The difference is what a closed loop
// omits (coordinated omission).
struct server_response {
  std::string server;
  double answered = 0;     // share of the due messages that were answered, over all blocks
  bool saturated = false;  // `answered` is below 0.99; then everything below is empty
  estimate response_p50_us;
  estimate response_p90_us;
  estimate response_p99_us;
  estimate service_p50_us;
  estimate service_p90_us;
  estimate service_p99_us;
  estimate late_p99_us;  // how late the client itself sent; response times contain it
  estimate cpu_ns;       // CPU per message at this rate
  std::optional<distribution> response;  // of all blocks; absent if none was kept
  std::optional<distribution> service;
};

struct open_row {
  bench::scenario scenario;
  bench::comparison comparison;
  estimate rate_per_second;  // the rate that both were offered
  server_response base;
  server_response contender;
  // Of response times, as in load_row.
  std::optional<judged_ratio> p50;
  std::optional<judged_ratio> p99;
};

// One server at one rate.
struct server_at_rate {
  std::string server;
  estimate messages_per_second;  // due; at the full load: answered
  bool saturated = false;        // it cannot keep up, and everything below is empty
  bool client_limited = false;   // at the full load: the client limited the throughput
  estimate cpu_ns;               // CPU per message
  estimate p50_us;               // from when a message was due; at the full load: sent
  estimate p99_us;
};

struct rate_point {
  bench::scenario scenario;  // without a rate: the full load
  server_at_rate base;
  server_at_rate contender;
  judged_ratio cpu;  // of CPU per message
};

// Two servers under loads that differ only in their rate; see rates/rate_curve.hpp.
struct rate_curve {
  bench::scenario load;  // the full load, whether or not it was measured
  bench::comparison comparison;
  std::vector<rate_point> points;  // by rate; the full load last
};

struct memory_row {
  std::string server;
  std::vector<memory_sample> samples;
  std::optional<double> kib_per_connection;  // slope; absent below two different counts
};

// System calls and context switches per message of one server loaded alone. They hardly vary, on
// any machine.
struct kernel_row {
  bench::scenario scenario;
  std::string server;
  std::optional<double> system_calls;  // per message; absent: counting is not permitted
  double context_switches = 0;         // per message
};

struct control_row {
  bench::scenario scenario;
  std::string server;
  block_kind kind = block_kind::duet;
  std::vector<block_cost> blocks;
};

// How a run read a cost that it knew: one of its servers burnt so much more per message than the
// other. It says how far to believe nanoseconds above the bare loop.
struct calibration {
  bench::scenario scenario;
  double burnt_ns = 0;
  estimate read_ns;
};

// A number of one server, or why there is none.
struct matrix_cell {
  estimate number;
  std::string missing;  // "saturated, it answered 80.0 %"; empty: there is a number
};

// One server beside all others of its run. Each number also stands in a row of a pair.
struct matrix_row {
  bench::scenario scenario;  // of CPU and throughput
  std::string base;          // the server with which all others were compared
  std::string server;
  // Why the server does not keep what each must: to start, to listen, and to send back every byte.
  std::optional<std::string> broken;
  matrix_cell cpu_ns;                     // per message
  matrix_cell cpu_ratio;                  // server / base; the base itself has none
  std::optional<bench::verdict> verdict;  // of cpu_ratio; absent: there is no such comparison
  matrix_cell messages_per_second;        // loaded alone
  bool client_limited = false;            // as in server_load
  matrix_cell kib_per_connection;         // n: the samples; it has no interval
  // Half of the rate that the server reaches alone, or of the base's rate where that is lower; a
  // run may have another open loop. Absent: it has none.
  std::optional<bench::scenario> open_loop;
  estimate rate_per_second;  // at which messages were due there
  matrix_cell p99_us;        // of the response time there
};

// What the generators of one host measured of one load, of all its servers. Percentiles, lateness
// and utilisation are medians over the slices of servers loaded alone, if there are such; messages,
// skew and retransmits are of all slices.
struct host_row {
  bench::scenario scenario;
  std::string host;
  int generators = 1;
  std::int64_t messages = 0;
  std::optional<double> p50_us{};  // of the host's own histogram; absent: it had no reply
  std::optional<double> p99_us{};
  std::optional<double> late_p99_us{};  // how late it sent; absent in a closed loop
  double client_utilisation = 0;        // of the busiest generator
  double start_skew_us = 0;             // the largest
  std::int64_t retransmits = 0;
  // Of each slice in the order measured: the host's part of all messages divided by its part of all
  // generators. Absent: the host was, or no message came back. Empty: the host is alone, or has so
  // few connections per generator that a part says nothing of it.
  std::vector<std::optional<double>> parts{};
};

struct results {
  std::vector<std::string> headlines;  // sentences; the most important one first
  std::optional<bench::noise> noise;   // A/A noise of the kind of block that decides most rows
  std::optional<bench::noise>
      // A/A noise of exclusive blocks, if duet blocks decide other rows.
      noise_alone;
  double margin = 0.01;
  double margin_alone = 0.01;  // for rows that exclusive blocks decide
  // common_autocorrelation() of the blocks that decide; absent in reports of older versions.
  std::optional<double> autocorrelation;
  std::vector<control_row> controls;
  std::optional<bench::calibration> calibration;  // absent: the run has no such servers
  std::vector<cost_row> costs;
  std::vector<load_row> loads;
  std::optional<std::vector<overall_row>> overall;  // absent in reports of older versions
  std::vector<open_row> open_loops;
  std::optional<std::vector<rate_curve>> rate_curves;  // absent in reports of older versions
  std::vector<memory_row> memory;
  std::vector<kernel_row> kernel;
  std::optional<std::vector<matrix_row>> matrix;  // absent: see matrix_of()
  std::optional<std::vector<host_row>> hosts;     // absent: one thread of this machine was the load
  std::int64_t messages = 0;
  std::optional<std::int64_t> checked;  // replies compared byte by byte in timed slices
  std::vector<caveat> caveats;          // those recorded, then those found by analyse()
};

results analyse(const run_record& record);

// pairs_of(): the comparisons of the cost rows, each once, in order. costs_of(): the rows of one.
std::vector<comparison> pairs_of(const results& found);
std::vector<const cost_row*> costs_of(const results& found, const comparison& pair);

// The kernel rows of the scenario of leading_row(), or else of the first scenario.
std::vector<kernel_row> leading_kernel_rows(const results& found);

// True where the run has its answers: over all loads, the verdict on each two servers is not
// inconclusive. It is that on their CPU per message, or on their throughput where the CPU is
// unknown. An injected cost does not count. False where there is no verdict.
bool is_settled(const results& found);

// The row that leads the report: the one of the headline scenario, or else the first whose CPU was
// measured. Null: there is none.
const cost_row* leading_row(const results& found);

}  // namespace bench
