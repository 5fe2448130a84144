// block_values: the one number that a block gives for a server, and blocks sorted into rows.
//
//     for (const auto& group : groups_of(record))
//       auto differences = log_ratios(group.duet, cost_of);
#pragma once

#include <bench/record/record.hpp>
#include <bench/statistics/statistics.hpp>
#include <optional>
#include <vector>

namespace bench {

inline constexpr int base_launch = 0;
inline constexpr int contender_launch = 1;
inline constexpr int floor_launch = 2;

using blocks_view = std::vector<const block*>;
using slice_value = double (*)(const slice&);

// What a slice says, 0 where it does not: CPU ns a message, messages a second, percentiles, the
// client's utilisation.
double cost_of(const slice& timed);
double rate_of(const slice& timed);
double p50_of(const slice& timed);
double p90_of(const slice& timed);
double p99_of(const slice& timed);
double utilisation_of(const slice& timed);

// Whether it says what a message cost: more than nothing.
bool has_cost(const slice& timed);

// And of an open loop: what was asked, service times, what the client was late with.
double asked_rate_of(const slice& timed);
double service_p50_of(const slice& timed);
double service_p90_of(const slice& timed);
double service_p99_of(const slice& timed);
double late_p99_of(const slice& timed);

// The geometric mean over the slices of one launch, so that ABBA cancels a drift of the level.
// Absent: the launch is not in this block, or has no number above zero.
std::optional<double> value_of(const block& measured, int launch, slice_value value);
std::vector<double> values_of(const blocks_view& blocks, int launch, slice_value value);

// Hodges-Lehmann estimate over the blocks in which that launch has a value.
estimate over_blocks(const blocks_view& blocks, int launch, slice_value value);

// ln(contender / base) of each block that has both.
std::vector<double> log_ratios(const blocks_view& blocks, slice_value value);

// Blocks of one scenario and one comparison; they point into the record.
struct block_group {
  bench::scenario scenario;
  bench::comparison comparison;
  bool control = false;
  blocks_view duet;
  blocks_view exclusive;
  blocks_view open_loop;
};

// By comparison and then by scenario as the header names them; what it does not name comes last.
std::vector<block_group> groups_of(const run_record& record);

}  // namespace bench
