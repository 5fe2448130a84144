// host_rows: what the generators of each host measured, load by load.
//
//     for (const auto& row : host_rows_of(record).value_or(std::vector<host_row>{})) ...
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// The slices of one load, in the order measured. The pointers refer to the record.
struct load_slices {
  bench::scenario scenario;
  std::vector<const slice*> all;
  std::vector<const slice*> alone;  // those of servers loaded alone

  // Those that tell hosts apart. In a duet servers disturb each other, so that latency there says
  // little of hosts; where a load has only duets, it has to do.
  const std::vector<const slice*>& telling() const { return alone.empty() ? all : alone; }
};

// In the order of the header; other loads come last.
std::vector<load_slices> slices_of_loads(const run_record& record);

// What the host measured of this slice; null: it was absent.
const host_share* measured_on(const slice& timed, const std::string& host);

// The processes of this host that load servers; 0: the header does not have it.
int generators_on(const run_header& header, const std::string& host);

// The generators of all hosts that were there. nullopt: they had too few connections for hosts to
// be compared by their messages.
std::optional<std::int64_t> busy_generators(const run_header& header, const scenario& load,
                                            const slice& timed);

// A row for each load and each host that ever loaded it. nullopt: one thread of this machine loaded
// the servers.
std::optional<std::vector<host_row>> host_rows_of(const run_record& record);

}  // namespace bench
