// anchored: CPU per message of each server as a multiple of an anchor, from the same blocks.
//
//     auto contents = read_run_or_report("runs/before");
//     for (const auto& [about, values] : anchored_costs(contents.found))
//       values.log_ratios;   // ln(about.server / about.anchor) on about.scenario, one per block
//
// Two runs are not paired and machines drift, so only these ratios may be compared between runs.
#pragma once

#include <bench/report/json.hpp>
#include <compare>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace bench {

struct subject {
  std::string scenario;
  std::string server;
  std::string anchor;

  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 inside a defaulted <=> for a pointer
  friend auto operator<=>(const subject&, const subject&) = default;
};

struct anchored {
  std::vector<double> log_ratios;  // one per block
  double cpu_ns = 0;

  double ratio() const;  // the geometric mean; 1 if there are no blocks
};

// Reads a run folder, a run.ndjson, a run.ndjson.gz or a report.json. Throws unreadable_run, which
// names the file.
report_contents read_run_or_report(const std::filesystem::path& path);

// The anchor of a row is its base if that is an asio-callback server; otherwise the bare loop of
// the blocks; and if there is none, the base, whatever it is.
std::map<subject, anchored> anchored_costs(const results& found);

}  // namespace bench
