// anchored: what each server of a run costs as a multiple of an anchor measured in the same blocks.
//
//     auto contents = read_run_or_report("runs/before");
//     for (const auto& [about, values] : anchored_costs(contents.found))
//       values.log_ratios;   // of about.server on about.scenario over about.anchor, one a block
//
// Days are not paired and machines drift: only such ratios may be compared between two runs.
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

  friend auto operator<=>(const subject&, const subject&) = default;
};

struct anchored {
  std::vector<double> log_ratios;  // one a block
  double cpu_ns = 0;

  double ratio() const;  // the geometric mean; 1 without a block
};

// A run folder, a run.ndjson or a report.json. Throws unreadable_run, whose text names the file.
report_contents read_run_or_report(const std::filesystem::path& path);

// The anchor is asio-callback where that is the base; else the bare loop of the blocks; else, with
// none in them, the base, whatever it is.
std::map<subject, anchored> anchored_costs(const results& found);

}  // namespace bench
