// Each group of blocks becomes a row.
#include <bench/analysis/analysis.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/analysis/block_values.hpp>
#include <bench/analysis/caveats.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/numbers.hpp>
#include <boost/math/statistics/linear_regression.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace bench {
namespace {

constexpr double client_limit = 0.95;  // of its core
constexpr double near_ceiling = 0.9;   // of what the bare loop lets the client ask for
constexpr double keeping_up = 0.99;    // of what was due

estimate exponential(estimate logarithmic) {
  if (logarithmic.n == 0) return logarithmic;
  logarithmic.value = std::exp(logarithmic.value);
  if (logarithmic.range)
    logarithmic.range =
        interval{std::exp(logarithmic.range->low), std::exp(logarithmic.range->high)};
  return logarithmic;
}

std::vector<block_cost> block_costs(const blocks_view& blocks) {
  std::vector<block_cost> costs;
  for (const auto* each : blocks) {
    const auto base = value_of(*each, base_launch, cost_of);
    const auto contender = value_of(*each, contender_launch, cost_of);
    if (base && contender)
      costs.push_back({each->round, *base, *contender, value_of(*each, floor_launch, cost_of),
                       *contender / *base});
  }
  return costs;
}

// Over the blocks for which it has a value.
estimate over(const std::vector<block_cost>& blocks,
              const std::function<std::optional<double>(const block_cost&)>& value) {
  std::vector<double> values;
  for (const auto& each : blocks)
    if (const auto x = value(each)) values.push_back(*x);
  return signed_rank_interval(values);
}

std::optional<estimate> unless_empty(estimate found) {
  return found.n > 0 ? std::optional{found} : std::nullopt;
}

std::optional<double> minus_floor(double cost, const block_cost& of) {
  return of.floor_ns ? std::optional{cost - *of.floor_ns} : std::nullopt;
}

server_cost cost_of_server(const std::string& name, const std::vector<block_cost>& blocks,
                           double block_cost::*side) {
  return {name, over(blocks, [side](const block_cost& each) { return each.*side; }),
          unless_empty(over(
              blocks, [side](const block_cost& each) { return minus_floor(each.*side, each); }))};
}

// A ratio of overheads means something only where the denominator is clearly above nothing, in
// each block and over all of them.
std::optional<estimate> overhead_ratio(const cost_row& row) {
  const auto& base = row.base.overhead_ns;
  if (!base || !base->range || base->range->low <= 0) return std::nullopt;
  const bool always_positive = std::all_of(
      row.blocks.begin(), row.blocks.end(),
      [](const block_cost& each) { return !each.floor_ns || each.base_ns > *each.floor_ns; });
  if (!always_positive) return std::nullopt;
  return unless_empty(over(row.blocks, [](const block_cost& each) -> std::optional<double> {
    if (!each.floor_ns) return std::nullopt;
    return (each.contender_ns - *each.floor_ns) / (each.base_ns - *each.floor_ns);
  }));
}

void judge_row(cost_row& row, const std::vector<double>& logs, const std::vector<double>& exclusive,
               double margin, char grade) {
  const auto log_ratio = signed_rank_interval(logs);
  const auto exclusive_log_ratio = signed_rank_interval(exclusive);
  row.ratio = exponential(log_ratio);
  row.ratio_t = exponential(paired_t_interval(logs));
  row.exclusive_ratio = exponential(exclusive_log_ratio);
  if (log_ratio.range) row.smallest_visible = std::expm1(log_ratio.range->half_width());
  row.ljung_box_p = ljung_box_p(logs);
  row.verdict = judge(log_ratio, exclusive_log_ratio, margin, grade);
}

// The first of the two that was not started here; empty: both were.
std::string target_in(const comparison& pair, const std::vector<server_info>& servers) {
  for (const auto& name : {pair.contender, pair.base})
    for (const auto& each : servers)
      if (each.name == name && each.target) return name;
  return {};
}

// Why the CPU of the two is not judged; empty: it is.
std::string unjudged(const cost_row& row, const run_record& record) {
  if (first_of<caveats::run_void>(record.caveats_found)) return "the run is void";
  const auto target = target_in(row.comparison, record.header.servers);
  if (!target.empty()) return target + " was not started here";
  for (const auto& name : {row.comparison.contender, row.comparison.base})
    for (const auto& each : record.caveats_found) {
      if (const auto* found = std::get_if<caveats::cpu_elsewhere>(&each);
          found && found->server == name)
        return "the CPU of " + name + " is that of processes unknown here";
      if (const auto* found = std::get_if<caveats::processes_changed>(&each);
          found && found->server == name && row.blocks.empty())
        return "processes of " + name + " began or ended while it was timed";
    }
  if (row.decided_by == block_kind::duet && !row.blocks.empty() &&
      !may_share_a_core(row.comparison.base, row.comparison.contender))
    return "the two disturb each other on one core";
  return {};
}

cost_row cost_row_of(const block_group& group, const results& found) {
  const bool shared = !group.duet.empty();
  const auto& deciding = shared ? group.duet : group.exclusive;
  cost_row row;
  row.scenario = group.scenario;
  row.comparison = group.comparison;
  row.decided_by = shared ? block_kind::duet : block_kind::exclusive;
  row.blocks = block_costs(deciding);
  row.base = cost_of_server(group.comparison.base, row.blocks, &block_cost::base_ns);
  row.contender = cost_of_server(group.comparison.contender, row.blocks, &block_cost::contender_ns);
  if (row.blocks.empty()) {  // of one side there may still be something to say
    row.base.cpu_ns = signed_rank_interval(values_of(deciding, base_launch, cost_of));
    row.contender.cpu_ns = signed_rank_interval(values_of(deciding, contender_launch, cost_of));
  }
  row.floor_ns = unless_empty(over(row.blocks, [](const auto& each) { return each.floor_ns; }));
  row.difference_ns =
      over(row.blocks, [](const auto& each) { return each.contender_ns - each.base_ns; });
  row.overhead_ratio = overhead_ratio(row);
  judge_row(row, log_ratios(deciding, cost_of), log_ratios(group.exclusive, cost_of),
            shared ? found.margin : found.margin_alone,
            grade_of(shared || !found.noise_alone ? found.noise : found.noise_alone));
  return row;
}

double mean_utilisation(const blocks_view& blocks, int launch) {
  const auto shares = values_of(blocks, launch, utilisation_of);
  double sum = 0;
  for (const double share : shares) sum += share;
  return shares.empty() ? 0 : sum / static_cast<double>(shares.size());
}

server_load load_of_server(const std::string& name, const blocks_view& blocks, int launch) {
  const auto over_blocks = [&](slice_value value) {
    return signed_rank_interval(values_of(blocks, launch, value));
  };
  const double utilisation = mean_utilisation(blocks, launch);
  return {name,
          over_blocks(rate_of),
          over_blocks(p50_of),
          over_blocks(p90_of),
          over_blocks(p99_of),
          utilisation,
          utilisation >= client_limit,
          distribution_of(merged(blocks, launch, response_times))};
}

load_row load_row_of(const scenario& load, const comparison& pair, const blocks_view& exclusive) {
  return {load, pair, load_of_server(pair.base, exclusive, base_launch),
          load_of_server(pair.contender, exclusive, contender_launch),
          exponential(signed_rank_interval(log_ratios(exclusive, rate_of)))};
}

// A ratio in which the client has a part, because a side waits for it or shares its processor, says
// nothing of the servers; nor does one of replies of which one was wrong. The machine may have more
// processors than this run was allowed.
void withdraw_ratios(results& found, const run_record& record) {
  const bool of_none = record.header.machine.cpus == 1 ||
                       first_of<caveats::one_cpu>(record.caveats_found) ||
                       first_of<caveats::run_void>(record.caveats_found);
  for (auto& row : found.loads)
    if (of_none || row.base.client_limited || row.contender.client_limited)
      row.throughput_ratio = {};
}

// The bare loop shows what the client can ask for where it waits for the client itself.
void limit_by_floor(results& found) {
  std::map<std::string, double> ceilings;
  const auto sides = [](load_row& row) { return std::array{&row.base, &row.contender}; };
  for (auto& row : found.loads)
    for (const auto* side : sides(row))
      if (side->client_limited && side->server.starts_with("floor/"))
        ceilings[row.scenario.text()] =
            std::max(ceilings[row.scenario.text()], side->messages_per_second.value);
  for (auto& row : found.loads)
    for (auto* side : sides(row))
      if (const auto ceiling = ceilings.find(row.scenario.text()); ceiling != ceilings.end())
        side->client_limited |= side->messages_per_second.value >= near_ceiling * ceiling->second;
}

double answered_share(const blocks_view& blocks, int launch) {
  std::int64_t answered = 0;
  std::int64_t due = 0;
  for (const auto* each : blocks)
    for (const auto& timed : each->slices)
      if (timed.launch == launch && timed.open_loop) {
        answered += timed.messages;
        due += timed.open_loop->due;
      }
  return due > 0 ? static_cast<double>(answered) / static_cast<double>(due) : 0;
}

server_response response_of_server(const std::string& name, const blocks_view& blocks, int launch) {
  server_response found;
  found.server = name;
  found.answered = answered_share(blocks, launch);
  found.saturated = found.answered < keeping_up;
  if (found.saturated) return found;
  const auto over_blocks = [&](slice_value value) {
    return signed_rank_interval(values_of(blocks, launch, value));
  };
  found.response_p50_us = over_blocks(p50_of);
  found.response_p90_us = over_blocks(p90_of);
  found.response_p99_us = over_blocks(p99_of);
  found.service_p50_us = over_blocks(service_p50_of);
  found.service_p90_us = over_blocks(service_p90_of);
  found.service_p99_us = over_blocks(service_p99_of);
  found.late_p99_us = over_blocks(late_p99_of);
  found.cpu_ns = over_blocks(cost_of);
  found.response = distribution_of(merged(blocks, launch, response_times));
  found.service = distribution_of(merged(blocks, launch, service_times));
  return found;
}

open_row open_row_of(const block_group& group) {
  const auto& blocks = group.open_loop;
  return {group.scenario, group.comparison,
          signed_rank_interval(values_of(blocks, base_launch, asked_rate_of)),
          response_of_server(group.comparison.base, blocks, base_launch),
          response_of_server(group.comparison.contender, blocks, contender_launch)};
}

std::vector<control_row> controls_of(const std::vector<block_group>& groups) {
  std::vector<control_row> controls;
  for (const auto& each : groups) {
    if (!each.control) continue;
    for (const auto kind : {block_kind::duet, block_kind::exclusive}) {
      auto blocks = block_costs(kind == block_kind::duet ? each.duet : each.exclusive);
      if (!blocks.empty())
        controls.push_back({each.scenario, each.comparison.base, kind, std::move(blocks)});
    }
  }
  return controls;
}

std::optional<noise> noise_in(const std::vector<control_row>& controls, block_kind kind) {
  std::vector<double> values;
  for (const auto& control : controls)
    if (control.kind == kind)
      for (const auto& each : control.blocks) values.push_back(std::log(each.ratio));
  return noise_of(values);
}

// Each kind of block has its own; where only one has a control, that stands for both.
void find_noise(results& found) {
  found.noise = noise_in(found.controls, block_kind::duet);
  auto alone = noise_in(found.controls, block_kind::exclusive);
  (found.noise ? found.noise_alone : found.noise) = alone;
  found.margin = margin_of(found.noise);
  found.margin_alone = margin_of(found.noise_alone ? found.noise_alone : found.noise);
}

std::optional<double> slope(const std::vector<memory_sample>& samples) {
  std::set<int> counts;
  std::vector<double> x, y;
  for (const auto& sample : samples) {
    counts.insert(sample.connections);
    x.push_back(sample.connections);
    y.push_back(sample.pss_kib);
  }
  if (counts.size() < 2) return std::nullopt;
  return boost::math::statistics::simple_ordinary_least_squares(x, y).second;
}

std::vector<memory_row> memory_of(const run_record& record) {
  std::vector<memory_row> rows;
  for (const auto& sample : record.memory) {
    const auto same = [&](const memory_row& row) { return row.server == sample.server; };
    auto row = std::find_if(rows.begin(), rows.end(), same);
    if (row == rows.end()) row = rows.insert(rows.end(), {sample.server, {}, {}});
    row->samples.push_back(sample);
  }
  for (auto& row : rows) row.kib_per_connection = slope(row.samples);
  for (const auto& server : record.header.servers)
    if (server.target) rows.push_back({server.name, {}, {}});
  return rows;
}

std::vector<kernel_row> kernel_of(const run_record& record) {
  std::vector<kernel_row> rows;
  for (const auto& sample : record.kernel) {
    if (sample.messages <= 0) continue;
    const auto messages = static_cast<double>(sample.messages);
    kernel_row row{sample.scenario, sample.server, std::nullopt,
                   static_cast<double>(sample.context_switches) / messages};
    if (sample.system_calls)
      row.system_calls = static_cast<double>(*sample.system_calls) / messages;
    rows.push_back(row);
  }
  return rows;
}

void count_messages(results& found, const run_record& record) {
  for (const auto& each : record.blocks)
    for (const auto& timed : each.slices) {
      found.messages += timed.messages;
      if (timed.checked) found.checked = found.checked.value_or(0) + *timed.checked;
    }
}

// "fibers/epoll costs 55 ns [40, 70] a message above the bare loop, asio-callback/epoll 512 [430,
// 570]": what the project exists to say.
std::string headline_of(const cost_row& row) {
  const auto where = "On " + row.scenario.text() + ", ";
  if (row.contender.overhead_ns && row.base.overhead_ns)
    return fmt::format("{}{} costs {} a message above the bare loop, {} {}", where,
                       row.contender.server,
                       interval_text(row.contender.overhead_ns, ns_text, "ns"), row.base.server,
                       interval_text(row.base.overhead_ns, ns_text));
  return fmt::format("{}{} costs {} of CPU a message, {} {}", where, row.contender.server,
                     interval_text(row.contender.cpu_ns, ns_text, "ns"), row.base.server,
                     interval_text(row.base.cpu_ns, ns_text));
}

// For a comparison with a server of whose CPU nothing is known.
std::string headline_of(const load_row& row) {
  const auto text = [](const server_load& side) {
    return fmt::format("{} answers {} messages a second with a p50 of {} us", side.server,
                       interval_text(side.messages_per_second, count_text),
                       interval_text(side.p50_us, microseconds_text));
  };
  return fmt::format("On {}, loaded alone, {}, {}", row.scenario.text(), text(row.contender),
                     text(row.base));
}

std::string response_text(const server_response& of, bool first) {
  if (of.saturated) return of.server + (first ? " is saturated" : " is saturated too");
  return fmt::format("{} answers in {} p50 and {} p99", of.server,
                     microseconds_text(of.response_p50_us.value) + " us",
                     microseconds_text(of.response_p99_us.value) + " us");
}

// For a comparison of which nothing but an open loop was measured.
std::string headline_of(const open_row& row) {
  const bool both_saturated = row.base.saturated && row.contender.saturated;
  return fmt::format("On {}, with {} messages due a second, {}, {}", row.scenario.text(),
                     count_text(row.rate_per_second.value), response_text(row.contender, true),
                     response_text(row.base, !both_saturated));
}

const load_row* load_of(const results& found, const cost_row& row) {
  for (const auto& each : found.loads)
    if (each.scenario == row.scenario && each.comparison == row.comparison) return &each;
  return nullptr;
}

// One for each comparison, on the scenario that leads it; of a void run only that it is.
std::vector<std::string> headlines_of(const results& found) {
  if (const auto* wrong = first_of<caveats::run_void>(found.caveats))
    return {"VOID: " + text_of(*wrong)};
  std::vector<std::string> sentences;
  const auto pairs = pairs_of(found);
  for (const auto& pair : pairs) {
    if (injected_ns(pair.contender) && pairs.size() > 1) continue;  // it says what is known
    const cost_row* leading = nullptr;
    for (const auto* row : costs_of(found, pair)) {
      if (row->ratio.n == 0 && row->verdict.what != finding::unmeasured) continue;
      if (!leading || row->scenario.text() == headline_scenario) leading = row;
    }
    if (!leading) continue;
    if (leading->verdict.what != finding::unmeasured)
      sentences.push_back(headline_of(*leading));
    else if (const auto* load = load_of(found, *leading))
      sentences.push_back(headline_of(*load));
    else
      sentences.push_back(fmt::format("On {}, {} against {}: CPU {}", leading->scenario.text(),
                                      pair.contender, pair.base, leading->verdict.words));
  }
  if (!sentences.empty()) return sentences;
  for (const auto& row : found.open_loops) sentences.push_back(headline_of(row));
  return sentences;
}

}  // namespace

std::vector<comparison> pairs_of(const results& found) {
  std::vector<comparison> pairs;
  for (const auto& row : found.costs)
    if (std::find(pairs.begin(), pairs.end(), row.comparison) == pairs.end())
      pairs.push_back(row.comparison);
  return pairs;
}

std::vector<const cost_row*> costs_of(const results& found, const comparison& pair) {
  std::vector<const cost_row*> rows;
  for (const auto& row : found.costs)
    if (row.comparison == pair) rows.push_back(&row);
  return rows;
}

const cost_row* leading_row(const results& found) {
  const cost_row* leading = nullptr;
  for (const auto& row : found.costs) {
    if (row.verdict.what == finding::unmeasured) continue;
    if (row.scenario.text() == headline_scenario) return &row;
    if (!leading) leading = &row;
  }
  return leading;
}

std::vector<const kernel_row*> leading_kernel_rows(const results& found) {
  std::vector<const kernel_row*> rows;
  const auto* leading = leading_row(found);
  for (const auto& row : found.kernel)
    if (row.scenario == (leading ? leading->scenario : found.kernel.front().scenario))
      rows.push_back(&row);
  return rows;
}

results analyse(const run_record& record) {
  results found;
  const auto groups = groups_of(record);
  found.controls = controls_of(groups);
  find_noise(found);
  for (const auto& each : groups) {
    if (each.control) continue;
    if (!each.duet.empty() || !each.exclusive.empty()) {
      auto& row = found.costs.emplace_back(cost_row_of(each, found));
      if (const auto why = unjudged(row, record); !why.empty())
        row.verdict = {finding::unmeasured, "n/a: " + why, {}};
    }
    if (!each.open_loop.empty()) found.open_loops.push_back(open_row_of(each));
    if (!each.exclusive.empty())
      found.loads.push_back(load_row_of(each.scenario, each.comparison, each.exclusive));
  }
  limit_by_floor(found);
  withdraw_ratios(found, record);
  found.memory = memory_of(record);
  found.kernel = kernel_of(record);
  count_messages(found, record);
  found.caveats = all_caveats(record, found);
  found.headlines = headlines_of(found);
  return found;
}

}  // namespace bench
