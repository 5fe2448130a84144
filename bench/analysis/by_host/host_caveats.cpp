#include <bench/analysis/by_host/host_caveats.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bench/analysis/by_host/host_rows.hpp>
#include <bench/load/sample.hpp>
#include <bench/statistics/statistics.hpp>
#include <bench/text/numbers.hpp>
#include <map>

namespace bench {
namespace {

// A host differs if it answers much later than the others, or has so much less per generator. One
// connection more or less per generator makes up to 20 %, which is usual. Beyond that a host is
// slower, busy with something else or farther away.
constexpr double much_less = 0.75;        // times the messages per generator of the others
constexpr std::size_t fewest_slices = 3;  // a single stall is no difference between hosts

constexpr double skewed_part = 0.01;       // of the slice
constexpr double often_skewed = 1.0 / 10;  // of the slices of a host

// Of each slice what one host has and the median of what the others have.
struct beside_others {
  std::vector<double> own;
  std::vector<double> others;

  void add(double value, const std::vector<double>& of_others) {
    own.push_back(value);
    others.push_back(median(of_others));
  }
  bool is_enough() const { return own.size() >= fewest_slices; }
};

// Without the slices in which the host or all others have no such value.
template <class Value>
beside_others compared(const std::vector<const slice*>& slices, const std::string& host,
                       Value value_of) {
  beside_others found;
  for (const auto* timed : slices) {
    const auto* share = measured_on(*timed, host);
    const auto own = share ? value_of(*timed, *share) : std::nullopt;
    std::vector<double> others;
    for (const auto& each : timed->hosts.value_or(std::vector<host_share>{}))
      if (const auto value = value_of(*timed, each); value && each.host != host)
        others.push_back(*value);
    if (own && !others.empty()) found.add(*own, others);
  }
  return found;
}

// How the p50 of a host differs; empty: it does not, or its slices are too few.
std::string later_than_others(const load_slices& load, const std::string& host) {
  const auto found = compared(load.telling(), host, [](const slice&, const host_share& share) {
    return share.messages > 0 ? std::optional{share.p50_us} : std::nullopt;
  });
  if (!found.is_enough()) return {};
  const double own = median(found.own), others = median(found.others);
  if (!answers_much_later(own, others)) return {};
  return fmt::format("p50 {:.2f} ms and not {:.2f} ms", own / 1000, others / 1000);
}

std::string less_than_others(const run_header& header, const load_slices& load,
                             const std::string& host) {
  const auto per_generator = [&](const slice& timed,
                                 const host_share& share) -> std::optional<double> {
    const int generators = generators_on(header, share.host);
    if (generators == 0 || timed.seconds <= 0 || !busy_generators(header, load.scenario, timed))
      return std::nullopt;
    return static_cast<double>(share.messages) / generators / timed.seconds;
  };
  const auto found = compared(load.telling(), host, per_generator);
  if (!found.is_enough()) return {};
  const double own = median(found.own), others = median(found.others);
  if (own >= much_less * others) return {};
  return fmt::format("{} messages/s per generator and not {}", count_text(own), count_text(others));
}

std::vector<load_host> hosts_of(const run_record& record) {
  return record.header.hosts.value_or(std::vector<load_host>{});
}

}  // namespace

std::vector<saturated_host> saturated_hosts(const run_record& record) {
  std::vector<saturated_host> found;
  for (const auto& load : slices_of_loads(record))
    for (const auto& host : hosts_of(record)) {
      std::map<std::string, std::vector<double>> used_with;  // by server
      for (const auto* timed : load.alone)
        if (const auto* share = measured_on(*timed, host.name))
          used_with[timed->server].push_back(share->client_utilisation);
      for (const auto& [server, used] : used_with)
        if (const double typical = median(used); typical >= client_limit)
          found.push_back({host.name, load.scenario, server, typical});
    }
  return found;
}

bool is_among(const std::vector<saturated_host>& hosts, const scenario& load,
              const std::string& server) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const saturated_host& each) {
    return each.scenario == load && each.server == server;
  });
}

void limit_by_generators(results& found, const run_record& record) {
  const auto hosts = saturated_hosts(record);
  for (auto& row : found.loads)
    for (auto* side : {&row.base, &row.contender})
      side->client_limited |= is_among(hosts, row.scenario, side->server);
}

// A host has one caveat per load: which server it was that it could not load further does not
// matter for what has to be done.
void add_saturated_generators(std::vector<caveat>& caveats_found, const run_record& record) {
  std::vector<caveats::generator_saturated> all;
  for (const auto& [host, load, server, utilisation] : saturated_hosts(record)) {
    if (all.empty() || all.back().host != host || all.back().scenario != load.text())
      all.push_back({host, load.text(), utilisation});
    all.back().utilisation = std::max(all.back().utilisation, utilisation);
  }
  caveats_found.insert(caveats_found.end(), all.begin(), all.end());
}

void add_differing_hosts(std::vector<caveat>& caveats_found, const run_record& record) {
  for (const auto& load : slices_of_loads(record))
    for (const auto& host : hosts_of(record)) {
      std::vector<std::string> said{later_than_others(load, host.name),
                                    less_than_others(record.header, load, host.name)};
      std::erase(said, "");
      if (!said.empty())
        caveats_found.push_back(caveats::host_differs{host.name, load.scenario.text(),
                                                      fmt::format("{}", fmt::join(said, ", "))});
    }
}

namespace {

// Then nothing could begin before or after it.
bool is_of_one_generator(const run_header& header, const slice& timed) {
  return timed.hosts && timed.hosts->size() == 1 &&
         generators_on(header, timed.hosts->front().host) == 1;
}

}  // namespace

void add_skewed_starts(std::vector<caveat>& caveats_found, const run_record& record) {
  for (const auto& host : hosts_of(record)) {
    double slices = 0, skewed = 0, most_us = 0;
    for (const auto& block : record.blocks)
      for (const auto& timed : block.slices) {
        const auto* share = measured_on(timed, host.name);
        if (share == nullptr || is_of_one_generator(record.header, timed)) continue;
        ++slices;
        if (share->start_skew_us <= skewed_part * timed.seconds * 1e6) continue;
        ++skewed;
        most_us = std::max(most_us, share->start_skew_us);
      }
    if (skewed > often_skewed * slices)
      caveats_found.push_back(caveats::start_skewed{host.name, skewed / slices, most_us});
  }
}

}  // namespace bench
