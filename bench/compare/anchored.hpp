// anchored: what a run measured of each server, as a multiple of an anchor in the same run.
//
//     auto contents = read_run_or_report("runs/before");
//     for (const auto& [about, measured] : anchored_ratios(contents.found))
//       measured.log_ratio;   // ln(about.server / about.anchor)
//
// Two runs are not paired and machines drift, so only these ratios may be compared between runs.
#pragma once

#include <bench/report/json.hpp>
#include <compare>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace bench {

enum class quantity { cpu, throughput, p50, memory };

// "CPU per message", "throughput", "p50 of latency", "memory per connection"; and the unit of the
// values as measured: "ns", "messages/s", "us", "KiB".
std::string_view name_of(quantity what);
std::string_view unit_of(quantity what);

// The standard deviation of such a ratio from run to run of the same programs, as a logarithm, that
// is assumed where there are too few runs to estimate it.
double prior_spread(quantity what);

struct subject {
  quantity what = quantity::cpu;
  std::string scenario;  // empty for memory, which no load has
  std::string server;
  std::string anchor;

  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 inside a defaulted <=> for a pointer
  friend auto operator<=>(const subject&, const subject&) = default;
};

// "throughput of fibers/epoll on c64/512 against asio-callback/epoll"
std::string text_of(const subject& about);

struct anchored {
  double log_ratio = 0;       // the mean over the blocks
  double standard_error = 0;  // of it, by what the blocks say; 0 for memory, which has none
  double freedom = 1;         // degrees of freedom of that error
  double as_measured = 0;     // of the server

  friend bool operator==(const anchored&, const anchored&) = default;
};

// Reads a run folder, a run.ndjson, a run.ndjson.gz or a report.json. Throws unreadable_run, which
// names the file.
report_contents read_run_or_report(const std::filesystem::path& path);

// The anchor is the base of a row. Of CPU per message it is the bare loop of the same blocks,
// unless the base is an asio-callback server or the blocks have no bare loop. What has no interval
// is left out, and so is a server with injected cost.
std::map<subject, anchored> anchored_ratios(const results& found);

}  // namespace bench
