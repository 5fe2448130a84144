#include <bench/analysis/by_host/host_rows.hpp>

#include <algorithm>
#include <bench/analysis/block_values.hpp>
#include <bench/statistics/statistics.hpp>
#include <cmath>

namespace bench {
namespace {

// With fewer per generator, one connection more or less would make a difference that looks like one
// of the hosts: of 4 or 5 connections, the generator with 4 has 80 %.
constexpr std::int64_t fewest_connections = 4;

// nullopt: there is none.
std::optional<double> median_of(const std::vector<const host_share*>& shares,
                                double host_share::*which) {
  std::vector<double> values;
  for (const auto* each : shares) values.push_back(each->*which);
  return values.empty() ? std::nullopt : std::optional{median(values)};
}

std::vector<const host_share*> shares_in(const std::vector<const slice*>& slices,
                                         const std::string& host) {
  std::vector<const host_share*> shares;
  for (const auto* each : slices)
    if (const auto* share = measured_on(*each, host)) shares.push_back(share);
  return shares;
}

// Of all hosts that were there.
std::int64_t generators_in(const run_header& header, const slice& timed) {
  std::int64_t generators = 0;
  for (const auto& each : timed.hosts.value_or(std::vector<host_share>{}))
    generators += generators_on(header, each.host);
  return generators;
}

// 1 if the host answered as much as its generators are of all generators. A thousandth is more than
// a reader can see, and a run has thousands of slices.
std::optional<double> part_of(const run_header& header, const scenario& load, const slice& timed,
                              const load_host& host) {
  const auto* share = measured_on(timed, host.name);
  const auto generators = busy_generators(header, load, timed);
  if (share == nullptr || !generators || timed.messages <= 0) return std::nullopt;
  const double of_messages =
      static_cast<double>(share->messages) / static_cast<double>(timed.messages);
  const double of_generators = host.generators / static_cast<double>(*generators);
  return std::round(1000 * of_messages / of_generators) / 1000;
}

// Empty: a host alone always has its part, or no slice tells one, or in some of them the
// connections are too few.
std::vector<std::optional<double>> parts_of(const run_header& header, const load_slices& load,
                                            const load_host& host) {
  if (header.hosts->size() < 2) return {};
  std::vector<std::optional<double>> parts;
  bool any = false;
  for (const auto* timed : load.all) {
    if (generators_in(header, *timed) > 0 && !busy_generators(header, load.scenario, *timed))
      return {};
    parts.push_back(part_of(header, load.scenario, *timed, host));
    any = any || parts.back();
  }
  return any ? parts : std::vector<std::optional<double>>{};
}

host_row row_of(const run_header& header, const load_slices& load, const load_host& host) {
  host_row row{.scenario = load.scenario, .host = host.name, .generators = host.generators};
  for (const auto* share : shares_in(load.all, host.name)) {
    row.messages = sum(row.messages, share->messages);
    row.retransmits = sum(row.retransmits, share->retransmits);
    row.start_skew_us = std::max(row.start_skew_us, share->start_skew_us);
  }
  auto shares = shares_in(load.telling(), host.name);
  row.client_utilisation = median_of(shares, &host_share::client_utilisation).value_or(0);
  std::erase_if(shares, [](const host_share* each) { return each->messages <= 0; });
  row.p50_us = median_of(shares, &host_share::p50_us);
  row.p99_us = median_of(shares, &host_share::p99_us);
  if (load.scenario.open_loop()) row.late_p99_us = median_of(shares, &host_share::late_p99_us);
  row.parts = parts_of(header, load, host);
  return row;
}

}  // namespace

std::vector<load_slices> slices_of_loads(const run_record& record) {
  std::vector<load_slices> loads;
  const auto load_of = [&](const scenario& wanted) -> load_slices& {
    const auto found = std::find_if(loads.begin(), loads.end(),
                                    [&](const auto& each) { return each.scenario == wanted; });
    return found == loads.end() ? loads.emplace_back(load_slices{wanted, {}, {}}) : *found;
  };
  for (const auto& each : record.header.scenarios) load_of(each);
  for (const auto& each : record.blocks) {
    auto& load = load_of(each.scenario);
    for (const auto& timed : each.slices) {
      load.all.push_back(&timed);
      if (each.kind != block_kind::duet) load.alone.push_back(&timed);
    }
  }
  std::erase_if(loads, [](const load_slices& each) { return each.all.empty(); });
  return loads;
}

const host_share* measured_on(const slice& timed, const std::string& host) {
  if (!timed.hosts) return nullptr;
  const auto found = std::find_if(timed.hosts->begin(), timed.hosts->end(),
                                  [&](const host_share& each) { return each.host == host; });
  return found == timed.hosts->end() ? nullptr : &*found;
}

int generators_on(const run_header& header, const std::string& host) {
  for (const auto& each : header.hosts.value_or(std::vector<load_host>{}))
    if (each.name == host) return std::max(0, each.generators);
  return 0;
}

std::optional<std::int64_t> busy_generators(const run_header& header, const scenario& load,
                                            const slice& timed) {
  const auto generators = generators_in(header, timed);
  if (generators == 0 || load.connections < fewest_connections * generators) return std::nullopt;
  return generators;
}

std::optional<std::vector<host_row>> host_rows_of(const run_record& record) {
  if (!record.header.hosts) return std::nullopt;
  std::vector<host_row> rows;
  for (const auto& load : slices_of_loads(record))
    for (const auto& host : *record.header.hosts)
      if (host.generators > 0 && !shares_in(load.all, host.name).empty())
        rows.push_back(row_of(record.header, load, host));
  return rows;
}

}  // namespace bench
