// host_caveats: what is wrong with the load of single hosts.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <string>
#include <vector>

namespace bench {

// A host whose busiest generator was at the limit of its CPU, in the median of the slices in which
// it loaded this server alone.
struct saturated_host {
  std::string host;
  bench::scenario scenario;
  std::string server;
  double utilisation = 0;
};

std::vector<saturated_host> saturated_hosts(const run_record& record);

// True if one of them was at its limit with this server.
bool is_among(const std::vector<saturated_host>& hosts, const scenario& load,
              const std::string& server);

// Marks servers as client-limited with which a host was at its limit.
void limit_by_generators(results& found, const run_record& record);

// Each adds the caveats of one kind. A run without hosts has none.
void add_saturated_generators(std::vector<caveat>& caveats_found, const run_record& record);
void add_differing_hosts(std::vector<caveat>& caveats_found, const run_record& record);
void add_skewed_starts(std::vector<caveat>& caveats_found, const run_record& record);

}  // namespace bench
