#include <bench/analysis/block_values.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/load/sample.hpp>
#include <bench/text/numbers.hpp>
#include <cmath>
#include <limits>
#include <utility>

namespace bench {
namespace {

block_group& group_for(std::vector<block_group>& groups, const block& measured) {
  const auto same = [&](const block_group& each) {
    return each.scenario == measured.scenario && each.comparison == measured.comparison &&
           each.control == measured.control;
  };
  const auto found = std::find_if(groups.begin(), groups.end(), same);
  if (found != groups.end()) return *found;
  groups.push_back({measured.scenario, measured.comparison, measured.control, {}, {}, {}});
  return groups.back();
}

template <class T>
std::ptrdiff_t place_in(const std::vector<T>& planned, const T& each) {
  return std::find(planned.begin(), planned.end(), each) - planned.begin();
}

std::optional<double> log_ratio(const block& measured, slice_value value) {
  const auto base = value_of(measured, base_launch, value);
  const auto contender = value_of(measured, contender_launch, value);
  return base && contender ? std::optional{std::log(*contender / *base)} : std::nullopt;
}

}  // namespace

bool is_measured(double value) {
  return value > 1e-8 && value < 1e14;
}

std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t both = 0;
  if (!__builtin_add_overflow(a, b, &both)) return both;
  return a < 0 ? std::numeric_limits<std::int64_t>::min()
               : std::numeric_limits<std::int64_t>::max();
}

double cost_of(const slice& timed) {
  return timed.cpu_ns.value_or(0) / static_cast<double>(timed.messages);
}
bool has_cost(const slice& timed) {
  return timed.messages > 0 && is_measured(cost_of(timed));
}
double rate_of(const slice& timed) {
  return static_cast<double>(timed.messages) / timed.seconds;
}
double p50_of(const slice& timed) {
  return timed.p50_us;
}
double p90_of(const slice& timed) {
  return timed.p90_us;
}
double p99_of(const slice& timed) {
  return timed.p99_us;
}
double utilisation_of(const slice& timed) {
  return timed.client_utilisation;
}

double asked_rate_of(const slice& timed) {
  return timed.open_loop ? timed.open_loop->rate_per_second : 0;
}
double service_p50_of(const slice& timed) {
  return timed.open_loop ? timed.open_loop->service_p50_us : 0;
}
double service_p90_of(const slice& timed) {
  return timed.open_loop ? timed.open_loop->service_p90_us : 0;
}
double service_p99_of(const slice& timed) {
  return timed.open_loop ? timed.open_loop->service_p99_us : 0;
}
double late_p99_of(const slice& timed) {
  return timed.open_loop ? timed.open_loop->late_p99_us : 0;
}

std::optional<double> value_of(const block& measured, int launch, slice_value value) {
  double sum = 0;
  int count = 0;
  for (const auto& timed : measured.slices) {
    if (timed.launch != launch) continue;
    const double x = timed.messages > 0 ? value(timed) : 0;
    if (!is_measured(x)) return std::nullopt;
    sum += std::log(x);
    ++count;
  }
  if (count == 0) return std::nullopt;
  return std::exp(sum / count);
}

std::vector<double> values_of(const blocks_view& blocks, int launch, slice_value value) {
  std::vector<double> values;
  for (const auto* each : blocks)
    if (const auto x = value_of(*each, launch, value)) values.push_back(*x);
  return values;
}

estimate over_blocks(const blocks_view& blocks, int launch, slice_value value, looks looked) {
  return interval_over(values_of(blocks, launch, value), looked);
}

std::vector<double> log_ratios(const blocks_view& blocks, slice_value value) {
  std::vector<double> values;
  for (const auto* each : blocks)
    if (const auto x = log_ratio(*each, value)) values.push_back(*x);
  return values;
}

std::vector<int> rounds_of(const blocks_view& blocks, slice_value value) {
  std::vector<int> rounds;
  for (const auto* each : blocks)
    if (log_ratio(*each, value)) rounds.push_back(each->round);
  return rounds;
}

looks looks_at(const run_header& header) {
  return header.watched.value_or(false) ? looks::throughout : looks::once;
}

double mean_utilisation(const blocks_view& blocks, int launch) {
  const auto shares = values_of(blocks, launch, utilisation_of);
  double sum = 0;
  for (const double share : shares) sum += share;
  return shares.empty() ? 0 : sum / static_cast<double>(shares.size());
}

std::optional<double> answered_share(const blocks_view& blocks, int launch) {
  std::int64_t answered = 0;
  std::int64_t due = 0;
  for (const auto* each : blocks)
    for (const auto& timed : each->slices)
      if (timed.launch == launch && timed.open_loop) {
        answered = sum(answered, timed.messages);
        due = sum(due, timed.open_loop->due);
      }
  if (due <= 0) return std::nullopt;
  return static_cast<double>(answered) / static_cast<double>(due);
}

std::string who_is_saturated(const blocks_view& blocks, const comparison& pair) {
  for (const auto& [name, launch] :
       {std::pair{pair.contender, contender_launch}, {pair.base, base_launch}}) {
    const auto share = answered_share(blocks, launch);
    if (!share || *share >= keeping_up) continue;
    if (mean_utilisation(blocks, launch) >= client_limit)
      return "the client cannot send as much as is due";
    return fmt::format("{} is saturated, it answered {} of what was due", name,
                       percent_text(*share));
  }
  return {};
}

std::vector<block_group> groups_of(const run_record& record) {
  std::vector<block_group> groups;
  for (const auto& each : record.blocks) {
    auto& home = group_for(groups, each);
    home.looked = looks_at(record.header);
    (each.kind == block_kind::duet        ? home.duet
     : each.kind == block_kind::exclusive ? home.exclusive
                                          : home.open_loop)
        .push_back(&each);
  }
  const auto place = [&](const block_group& each) {
    return std::pair{place_in(record.header.comparisons, each.comparison),
                     place_in(record.header.scenarios, each.scenario)};
  };
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const block_group& a, const block_group& b) { return place(a) < place(b); });
  return groups;
}

const block_group* find_group(const std::vector<block_group>& groups, const scenario& load,
                              const comparison& pair) {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const block_group& each) {
    return !each.control && each.scenario == load && each.comparison == pair;
  });
  return found == groups.end() ? nullptr : &*found;
}

}  // namespace bench
