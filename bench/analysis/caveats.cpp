#include <bench/analysis/caveats.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/analysis/block_values.hpp>
#include <bench/analysis/by_host/host_caveats.hpp>
#include <bench/statistics/statistics.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>

namespace bench {
namespace {

// Ljung-Box is tested per row. With twenty rows of independent blocks, 1 % flags about one run in
// five by chance, 5 % about two in three.
constexpr double suspicious_p = 0.01;

template <class Kind>
bool recorded(const run_record& record) {
  return first_of<Kind>(record.caveats_found) != nullptr;
}

std::string pair_text(const comparison& pair) {
  return pair.contender + " and " + pair.base;
}

// A value from the server's listening line; empty: the line does not have that key.
std::string announced(const run_header& header, const std::string& name, const std::string& key) {
  for (const auto& server : header.servers)
    if (const auto value = server.announced.find(key);
        server.name == name && value != server.announced.end())
      return value->second;
  return {};
}

// Where a host was at its limit, add_saturated_generators() names it.
void add_saturated(std::vector<caveat>& caveats_found, const results& found,
                   const run_record& record) {
  const auto hosts = saturated_hosts(record);
  for (const auto& row : found.loads)
    for (const auto* side : {&row.base, &row.contender})
      if (side->client_limited && !is_among(hosts, row.scenario, side->server))
        caveats_found.push_back(
            caveats::client_saturated{side->server, row.scenario.text(), side->client_utilisation});
}

// Linux delays an acknowledgement by 40 ms (TCP_DELACK_MIN), so a median latency slightly above
// that suggests that Nagle's algorithm waits for delayed acknowledgements. A busy server or client
// has other reasons to be late, so both must be idle. Unix sockets have no acknowledgements.
void add_delayed(std::vector<caveat>& caveats_found, const run_record& record) {
  constexpr double least_us = 38'000;
  constexpr double most_us = 60'000;
  constexpr double idle = 0.3;  // share of a CPU
  const auto seems_delayed = [](const slice& timed) {
    return timed.p50_us > least_us && timed.p50_us < most_us && timed.client_utilisation < idle &&
           timed.cpu_ns.value_or(0) < idle * timed.seconds * 1e9;
  };
  std::map<std::pair<std::string, std::string>, std::vector<const slice*>> alone;
  for (const auto& each : record.blocks)
    for (const auto& timed : each.slices)
      if (each.kind == block_kind::exclusive &&
          announced(record.header, timed.server, "unix").empty())
        alone[{timed.server, each.scenario.text()}].push_back(&timed);
  for (const auto& [where, slices] : alone) {
    std::vector<double> delayed;
    for (const auto* timed : slices)
      if (seems_delayed(*timed)) delayed.push_back(timed->p50_us);
    if (2 * delayed.size() <= slices.size()) continue;
    caveats_found.push_back(caveats::replies_delayed{where.first, where.second, median(delayed)});
  }
}

void add_load_saturated(std::vector<caveat>& caveats_found, const results& found) {
  for (const auto& row : found.open_loops)
    for (const auto* side : {&row.base, &row.contender})
      if (side->saturated)
        caveats_found.push_back(caveats::load_saturated{side->server, row.scenario.text(),
                                                        row.rate_per_second.value, side->answered});
}

void add_correlated(std::vector<caveat>& caveats_found, const results& found) {
  for (const auto& row : found.costs)
    if (row.ljung_box_p && *row.ljung_box_p < suspicious_p)
      caveats_found.push_back(caveats::blocks_correlated{
          row.scenario.text(), pair_text(row.comparison), *row.ljung_box_p});
}

void add_mixed_threads(std::vector<caveat>& caveats_found, const run_header& header) {
  for (const auto& pair : header.comparisons) {
    const auto base = announced(header, pair.base, "threads");
    const auto contender = announced(header, pair.contender, "threads");
    if (!base.empty() && !contender.empty() && base != contender)
      caveats_found.push_back(caveats::threads_mixed{pair.base, pair.contender});
  }
}

void add_misread(std::vector<caveat>& caveats_found, const results& found) {
  if (!found.calibration || !found.calibration->read_ns.range) return;
  const auto& [scenario, burnt, read] = *found.calibration;
  if (read.range->excludes(burnt))
    caveats_found.push_back(
        caveats::control_misread{scenario.text(), burnt, read.range->low, read.range->high});
}

// The share that the median block lost.
template <class Share>
double median_loss(const std::vector<block>& blocks, Share share) {
  std::vector<double> taken;
  for (const auto& each : blocks) taken.push_back(std::optional<double>{each.*share}.value_or(0));
  return taken.empty() ? 0 : median(taken);
}

// nullopt: it is at most noisy_share.
template <class Share>
std::optional<double> lost(const run_record& record, Share share) {
  const auto share_lost = median_loss(record.blocks, share);
  return share_lost > noisy_share ? std::optional{share_lost} : std::nullopt;
}

void add_noisy(std::vector<caveat>& caveats_found, const run_record& record) {
  if (const auto share = lost(record, &block::foreign_cpu_share))
    caveats_found.push_back(caveats::noisy_machine{*share});
}

void add_noise_grade_d(std::vector<caveat>& caveats_found, const results& found) {
  for (const auto* each : {&found.noise, &found.noise_alone})
    if (*each && (*each)->grade == 'D')
      caveats_found.push_back(caveats::noise_grade_d{(*each)->spread});
}

void add_client_disturbed(std::vector<caveat>& caveats_found, const run_record& record) {
  if (const auto share = lost(record, &block::client_foreign_share))
    caveats_found.push_back(caveats::client_disturbed{*share});
}

void add_stolen(std::vector<caveat>& caveats_found, const run_record& record) {
  if (const auto share = lost(record, &block::steal_share))
    caveats_found.push_back(caveats::time_stolen{*share});
}

// Nothing to say if the governor is empty or "n/a": the system has none or may not choose it.
void add_governor(std::vector<caveat>& caveats_found, const environment& machine) {
  const auto& governor = machine.governor;
  if (!governor.empty() && governor != "n/a" && governor != "performance")
    caveats_found.push_back(caveats::clock_follows_load{governor});
}

// The number of rounds with as many blocks as the fullest round. With fewer than two rounds it is
// unknown how many blocks a round has: 0.
int complete_rounds(const run_record& record) {
  std::map<int, int> blocks_of;
  for (const auto& each : record.blocks) ++blocks_of[each.round];
  if (blocks_of.size() < 2) return 0;
  int most = 0;
  for (const auto& [round, count] : blocks_of) most = std::max(most, count);
  return static_cast<int>(std::count_if(blocks_of.begin(), blocks_of.end(),
                                        [most](const auto& each) { return each.second == most; }));
}

template <class Kind>
void add_blocks_with(std::vector<caveat>& caveats_found, const run_record& record,
                     const std::function<bool(const slice&)>& is_suspect) {
  std::map<std::pair<std::string, std::string>, int> suspect_blocks;
  for (const auto& each : record.blocks)
    if (std::any_of(each.slices.begin(), each.slices.end(), is_suspect))
      ++suspect_blocks[{each.scenario.text(), pair_text(each.comparison)}];
  for (const auto& [where, count] : suspect_blocks)
    caveats_found.push_back(Kind{where.first, where.second, count});
}

void add_empty(std::vector<caveat>& caveats_found, const run_record& record) {
  add_blocks_with<caveats::empty_slices>(caveats_found, record,
                                         [](const slice& timed) { return timed.messages <= 0; });
}

// Counts only servers with CPU time in at least one slice. For the others, other caveats say why it
// is unknown.
void add_cost_missing(std::vector<caveat>& caveats_found, const run_record& record) {
  std::set<std::string> counted;
  for (const auto& each : record.blocks)
    for (const auto& timed : each.slices)
      if (timed.cpu_ns) counted.insert(timed.server);
  add_blocks_with<caveats::cost_missing>(caveats_found, record, [&](const slice& timed) {
    return timed.messages > 0 && counted.contains(timed.server) && !has_cost(timed);
  });
}

}  // namespace

std::string ruin_in(const std::vector<block>& blocks) {
  const auto text = [](const char* who, double share) {
    return fmt::format("{} took {:.0f} % of the servers' processor", who, 100 * share);
  };
  if (const auto share = median_loss(blocks, &block::foreign_cpu_share); share > ruinous_share)
    return text("other programs", share);
  if (const auto share = median_loss(blocks, &block::steal_share); share > ruinous_share)
    return text("the hypervisor", share);
  return {};
}

std::string why_nothing_is_judged(const run_record& record) {
  return recorded<caveats::run_void>(record) ? "the run is void" : ruin_in(record.blocks);
}

std::string ruin_of(const results& found) {
  const auto* noisy = first_of<caveats::noisy_machine>(found.caveats);
  if (noisy && noisy->foreign_cpu_share > ruinous_share) return text_of(*noisy);
  const auto* stolen = first_of<caveats::time_stolen>(found.caveats);
  return stolen && stolen->share > ruinous_share ? text_of(*stolen) : std::string{};
}

std::vector<caveat> all_caveats(const run_record& record, const results& found) {
  auto caveats_found = record.caveats_found;
  if (!recorded<caveats::client_saturated>(record)) add_saturated(caveats_found, found, record);
  if (!recorded<caveats::generator_saturated>(record))
    add_saturated_generators(caveats_found, record);
  if (!recorded<caveats::host_differs>(record)) add_differing_hosts(caveats_found, record);
  if (!recorded<caveats::start_skewed>(record)) add_skewed_starts(caveats_found, record);
  if (!recorded<caveats::replies_delayed>(record)) add_delayed(caveats_found, record);
  if (!recorded<caveats::load_saturated>(record)) add_load_saturated(caveats_found, found);
  if (!recorded<caveats::blocks_correlated>(record)) add_correlated(caveats_found, found);
  if (!recorded<caveats::control_misread>(record)) add_misread(caveats_found, found);
  if (!recorded<caveats::threads_mixed>(record)) add_mixed_threads(caveats_found, record.header);
  if (!recorded<caveats::noisy_machine>(record)) add_noisy(caveats_found, record);
  if (!recorded<caveats::client_disturbed>(record)) add_client_disturbed(caveats_found, record);
  if (!recorded<caveats::time_stolen>(record)) add_stolen(caveats_found, record);
  if (!recorded<caveats::clock_follows_load>(record))
    add_governor(caveats_found, record.header.machine);
  if (!recorded<caveats::noise_grade_d>(record)) add_noise_grade_d(caveats_found, found);
  if (!recorded<caveats::empty_slices>(record)) add_empty(caveats_found, record);
  if (!recorded<caveats::cost_missing>(record)) add_cost_missing(caveats_found, record);
  if (!recorded<caveats::one_cpu>(record) && record.header.machine.cpus == 1)
    caveats_found.push_back(caveats::one_cpu{});
  if (!recorded<caveats::no_control>(record) && !found.noise)
    caveats_found.push_back(caveats::no_control{});
  if (!recorded<caveats::run_incomplete>(record) && record.end != run_end::complete)
    caveats_found.push_back(caveats::run_incomplete{complete_rounds(record), record.header.rounds});
  return caveats_found;
}

}  // namespace bench
