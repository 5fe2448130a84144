#include <bench/compare/anchored.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/record/run_folder.hpp>
#include <bench/server/catalogue.hpp>
#include <cmath>
#include <span>
#include <vector>

namespace bench {
namespace {

using anchored_map = std::map<subject, anchored>;

bool is_asio(const std::string& server) {
  return server.starts_with("asio-callback/");
}

// `widening`: what correlated blocks add to the error.
void add(anchored_map& all, subject about, std::span<const double> log_ratios, double widening,
         double as_measured) {
  const auto found = paired_t_interval(log_ratios);
  if (!found.range) return;
  const double error = spread(log_ratios) / std::sqrt(static_cast<double>(found.n));
  all.try_emplace(std::move(about), anchored{found.value, widening * error,
                                             static_cast<double>(found.n - 1), as_measured});
}

void add_against_floor(anchored_map& all, const cost_row& row, const server_cost& server,
                       double block_cost::*cost, double widening) {
  std::vector<double> logs;
  for (const auto& each : row.blocks)
    if (each.floor_ns) logs.push_back(std::log(each.*cost / *each.floor_ns));
  add(all, {quantity::cpu, row.scenario.text(), server.server, *row.comparison.floor}, logs,
      widening, server.cpu_ns.value);
}

void add_costs(anchored_map& all, const cost_row& row, double widening) {
  if (row.verdict.what == finding::unmeasured) return;
  if (is_asio(row.comparison.base) || !row.floor_ns) {
    std::vector<double> logs;
    for (const auto& each : row.blocks) logs.push_back(std::log(each.ratio));
    add(all, {quantity::cpu, row.scenario.text(), row.contender.server, row.base.server}, logs,
        widening, row.contender.cpu_ns.value);
    return;
  }
  add_against_floor(all, row, row.contender, &block_cost::contender_ns, widening);
  add_against_floor(all, row, row.base, &block_cost::base_ns, widening);
}

// False for what an edited report may hold instead of a ratio and its interval.
bool is_ratio(const estimate& of) {
  return of.n > 1 && of.value > 0 && of.range && of.range->low > 0 && of.range->low <= of.value &&
         of.value <= of.range->high;
}

// What a report holds of these is the ratio and its interval, not each block. The interval need not
// be symmetric, so the wider side of it counts.
void add_estimate(anchored_map& all, quantity what, const load_row& row, const estimate& ratio,
                  double as_measured) {
  if (!is_ratio(ratio)) return;
  const auto [value, range, n] = log_from_ratio(ratio);
  const t_estimate one{0, 1, static_cast<double>(n - 1)};
  const double wider = std::max(range->high - value, value - range->low);
  all.try_emplace({what, row.scenario.text(), row.contender.server, row.base.server},
                  anchored{value, wider / one.range().high, one.freedom, as_measured});
}

void add_loads(anchored_map& all, const load_row& row) {
  const auto& server = row.contender;
  if (!row.throughput_verdict || row.throughput_verdict->what != finding::unmeasured)
    add_estimate(all, quantity::throughput, row, row.throughput_ratio,
                 server.messages_per_second.value);
  if (row.p50) add_estimate(all, quantity::p50, row, row.p50->ratio, server.p50_us.value);
}

void add_memory(anchored_map& all, const results& found, const comparison& pair) {
  const auto kib_of = [&](const std::string& server) {
    for (const auto& row : found.memory)
      if (row.server == server) return row.kib_per_connection.value_or(0);
    return 0.0;
  };
  const double kib = kib_of(pair.contender), anchor_kib = kib_of(pair.base);
  const auto is_plausible = [](double each) { return each > 1e-9 && each < 1e12; };
  if (is_plausible(kib) && is_plausible(anchor_kib))
    all.try_emplace({quantity::memory, {}, pair.contender, pair.base},
                    anchored{std::log(kib / anchor_kib), 0, 1, kib});
}

}  // namespace

std::string_view name_of(quantity what) {
  switch (what) {
    case quantity::cpu:
      return "CPU per message";
    case quantity::throughput:
      return "throughput";
    case quantity::p50:
      return "p50 of latency";
    case quantity::memory:
      return "memory per connection";
  }
  return {};
}

std::string_view unit_of(quantity what) {
  switch (what) {
    case quantity::cpu:
      return "ns";
    case quantity::throughput:
      return "messages/s";
    case quantity::p50:
      return "us";
    case quantity::memory:
      return "KiB";
  }
  return {};
}

double prior_spread(quantity what) {
  switch (what) {
    case quantity::cpu:
      return 0.02;
    case quantity::throughput:
    case quantity::p50:
      return 0.04;
    case quantity::memory:
      return 0.01;
  }
  return {};
}

std::string text_of(const subject& about) {
  return fmt::format("{} of {}{}{} against {}", name_of(about.what), about.server,
                     about.scenario.empty() ? "" : " on ", about.scenario, about.anchor);
}

report_contents read_run_or_report(const std::filesystem::path& path) {
  auto file = path;
  if (std::filesystem::is_directory(path)) {
    file = run_file(path);
    if (!std::filesystem::exists(file)) file = path / "report.json";
    if (!std::filesystem::exists(file))
      throw unreadable_run{path.string() + ": holds neither run.ndjson nor report.json"};
  }
  if (file.extension() == ".json") return read_json_report(file);
  const auto record = read_run(file);
  return {record.header, analyse(record)};
}

std::map<subject, anchored> anchored_ratios(const results& found) {
  anchored_map all;
  const double widening = widening_of(found.autocorrelation.value_or(0));
  for (const auto& row : found.costs)
    if (!is_injected(row.comparison)) add_costs(all, row, widening);
  for (const auto& row : found.loads)
    if (!is_injected(row.comparison)) add_loads(all, row);
  for (const auto& pair : pairs_of(found))
    if (!is_injected(pair)) add_memory(all, found, pair);
  return all;
}

}  // namespace bench
