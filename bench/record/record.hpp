// record: everything a run writes down, and nothing derived from it.
//
//     a run is a header, then blocks as they are measured, then how it ended
//
// `run.ndjson` holds one of these a line; every report is a view of it. A number carries its unit
// in its name; a number that could not be measured is absent (std::nullopt), never zero.
#pragma once

#include <bench/record/block_kind.hpp>
#include <bench/record/caveats.hpp>
#include <bench/record/scenario.hpp>
#include <bench/statistics/histogram.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

// A program under test and how it introduced itself.
struct server_info {
  std::string name;     // fibers/epoll, asio-callback/select, floor/epoll, or the user's name
  std::string command;  // as it was started, with {port} where the port goes
  std::map<std::string, std::string> announced{};  // the key=value pairs of its listening line
  std::optional<std::string> target{};  // host:port of one that runs already, and is not ours
  std::optional<std::string> prefix{};  // of its replies, as it was found; empty: it has none
};

// Two servers that are compared, and the bare loop that rides along.
struct comparison {
  std::string base;                  // the denominator of every ratio
  std::string contender;             // the numerator; equal to base in an A/A control
  std::optional<std::string> floor;  // the bare loop on the same reactor

  friend bool operator==(const comparison&, const comparison&) = default;
};

// The machine and the build: what must be equal before raw numbers of two runs may be compared.
struct environment {
  std::string cpu_model;
  int cpus = 0;
  std::string kernel;
  std::string virtualization;  // "none", "kvm", ... or "unknown"
  std::string governor;        // "n/a" where there is none
  std::string mitigations;     // one line, a summary of what the kernel reports
  std::string compiler;
  std::string build_type;
  std::string flags;
  std::string boost_version;
  std::optional<int> server_cpu;  // absent: not pinned
  std::optional<int> client_cpu;
};

// "kernel: \"6.1.0\" -> \"6.2.0\"", one for each member that is not the same.
std::vector<std::string> differences_between(const environment& before, const environment& after);

struct run_header {
  int format = 1;
  std::string started_utc;  // 2026-01-31T12:34:56Z
  std::string suite;
  std::string command_line;  // what a reader types to have this run again, quoted for a shell
  std::uint64_t seed = 0;
  int rounds = 0;  // as planned
  std::vector<scenario> scenarios;
  std::vector<server_info> servers;
  std::vector<comparison> comparisons;
  environment machine;
};

// How long each message of a slice took, in nanoseconds. Null: not kept.
using kept_histogram = std::shared_ptr<const histogram>;

// What only an open loop has. The percentiles of its slice are response times, from when a message
// was due; service times are from when it was sent.
struct open_loop_times {
  double rate_per_second = 0;  // as asked
  std::int64_t due = 0;        // messages that became due meanwhile
  double service_p50_us = 0;
  double service_p90_us = 0;
  double service_p99_us = 0;
  double late_p99_us = 0;  // of the client's own delay in sending
  kept_histogram service{};
};

// One server over one stretch of timed load.
struct slice {
  std::string server;  // its name; in a control the second launch is the same name
  int launch = 0;      // 0: base, 1: contender, 2: floor. Tells the two sides of a control apart
  int position = 0;    // its place in ABBA; duet: which slice of the block
  double seconds = 0;
  std::int64_t messages = 0;
  std::optional<std::int64_t> checked;  // of them, replies compared byte by byte
  std::optional<double> cpu_ns{};       // process CPU of the server, all threads
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double max_us = 0;
  double client_utilisation = 0;  // 0 to 1: share of its core that the load generator used
  std::optional<open_loop_times> open_loop{};
  std::optional<std::int64_t> start_ms{};  // since 1970
  kept_histogram latency{};                // of a server loaded alone; open loop: response times
};

// The unit of replication: fresh launches of every server of one comparison, then slices.
struct block {
  block_kind kind = block_kind::duet;
  int round = 0;
  bool control = false;  // A/A: base and contender are two launches of one server
  bench::scenario scenario;
  bench::comparison comparison;
  std::string order;  // "ABBA" or "BAAB"; duet: which launch was polled first, "ABF"
  std::vector<slice> slices;
  double foreign_cpu_share = 0;  // of the server core, taken by others while it was measured
  double steal_share = 0;        // taken by the hypervisor
  std::optional<double> client_foreign_share{};  // of the client's core, where it has one
};

// Memory of one server with so many connections open that have each echoed once.
struct memory_sample {
  std::string server;
  int connections = 0;
  double pss_kib = 0;
};

// What one server asked of the kernel under one load, in a probe of its own.
struct kernel_sample {
  std::string server;
  bench::scenario scenario;
  std::int64_t messages = 0;
  std::optional<std::int64_t> system_calls;  // absent: it may not be counted here
  std::int64_t context_switches = 0;
};

enum class run_end { complete, interrupted };

// A whole run in memory, as read back from run.ndjson.
struct run_record {
  run_header header;
  std::vector<block> blocks;
  std::vector<memory_sample> memory;
  std::vector<kernel_sample> kernel;
  std::vector<caveat> caveats_found;
  std::optional<run_end> end;        // absent: the run was killed
  bool last_line_truncated = false;  // it was killed while it wrote; that line is left out
};

// One line of run.ndjson each, without the newline. A file starts with its header.
std::string to_json_line(const run_header& header);
std::string to_json_line(const block& measured);
std::string to_json_line(const memory_sample& sample);
std::string to_json_line(const kernel_sample& sample);
std::string to_json_line(const caveat& found);
std::string to_json_line(run_end end);

// The text names the file, the line and what is wrong with it.
struct unreadable_run : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Reads a whole run.ndjson. An incomplete last line is left out and noted in the record; anything
// else that is not what to_json_line writes, or is there twice, throws unreadable_run.
run_record read_run(const std::filesystem::path& run_ndjson);

}  // namespace bench
