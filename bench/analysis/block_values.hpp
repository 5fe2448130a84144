// block_values: the one value that a block gives for a server, and the grouping of blocks.
//
//     for (const auto& group : groups_of(record))
//       auto differences = log_ratios(group.duet, cost_of);
#pragma once

#include <bench/record/record.hpp>
#include <bench/statistics/looks.hpp>
#include <bench/statistics/statistics.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bench {

inline constexpr int base_launch = 0;
inline constexpr int contender_launch = 1;
inline constexpr int floor_launch = 2;

using blocks_view = std::vector<const block*>;
using slice_value = double (*)(const slice&);

// False for what is not above 0, or what no clock can have measured: a record may hold any number,
// and the logarithms of these must stay finite.
bool is_measured(double value);

// a + b; if that does not fit, the largest or smallest number.
std::int64_t sum(std::int64_t a, std::int64_t b);

// One value of a slice: CPU ns per message, messages per second, latency percentiles in us, the
// client's utilisation. 0 where the slice has none.
double cost_of(const slice& timed);
double rate_of(const slice& timed);
double p50_of(const slice& timed);
double p90_of(const slice& timed);
double p99_of(const slice& timed);
double utilisation_of(const slice& timed);

// True if the slice has messages and a CPU time above 0.
bool has_cost(const slice& timed);

// The same for open loops, 0 in other slices: the asked rate per second, service time percentiles,
// and how late the client sent.
double asked_rate_of(const slice& timed);
double service_p50_of(const slice& timed);
double service_p90_of(const slice& timed);
double service_p99_of(const slice& timed);
double late_p99_of(const slice& timed);

// The geometric mean over the slices of one launch. In the order ABBA it cancels a linear drift.
// nullopt: the launch has no slice in this block, or a slice without a value above 0.
std::optional<double> value_of(const block& measured, int launch, slice_value value);
std::vector<double> values_of(const blocks_view& blocks, int launch, slice_value value);

// The estimate over the blocks in which that launch has a value.
estimate over_blocks(const blocks_view& blocks, int launch, slice_value value, looks looked);

// ln(contender / base) of each block that has both, and the rounds of these blocks.
std::vector<double> log_ratios(const blocks_view& blocks, slice_value value);
std::vector<int> rounds_of(const blocks_view& blocks, slice_value value);

// How much of its core the client used while it loaded that server, in the mean of the blocks.
double mean_utilisation(const blocks_view& blocks, int launch);

// The share of the messages due to a server in open loops that it answered. nullopt: none was due.
std::optional<double> answered_share(const blocks_view& blocks, int launch);

// "fibers/epoll is saturated, it answered 93.1 % of what was due", or that the client is; empty:
// all keep up, or the loops are closed.
std::string who_is_saturated(const blocks_view& blocks, const comparison& pair);

// How often the run was looked at while it grew.
looks looks_at(const run_header& header);

// The blocks of one scenario and one comparison. The pointers refer to the record.
struct block_group {
  bench::scenario scenario;
  bench::comparison comparison;
  bool control = false;
  blocks_view duet;
  blocks_view exclusive;
  blocks_view open_loop;
  looks looked = looks::once;  // at the run, while it grew
};

// Sorted by comparison and then by scenario, in the order of the header; others come last.
std::vector<block_group> groups_of(const run_record& record);

// Null: the run has no such blocks. A control is not found.
const block_group* find_group(const std::vector<block_group>& groups, const scenario& load,
                              const comparison& pair);

}  // namespace bench
