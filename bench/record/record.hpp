// record: everything that a run records, and nothing derived from it.
//
//     a run is a header, then blocks as they are measured, then how it ended
//
// Each line of run.ndjson holds one of these; every report is made from them. The name of a number
// contains its unit. A number that could not be measured is absent (std::nullopt), never 0.
#pragma once

#include <bench/record/block_kind.hpp>
#include <bench/record/caveats.hpp>
#include <bench/record/scenario.hpp>
#include <bench/statistics/histogram.hpp>
#include <boost/json/fwd.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

// A server under test, and what it announced.
struct server_info {
  std::string name;     // fibers/epoll, asio-callback/select, floor/epoll, or a name the user gave
  std::string command;  // the command that starts it, with {port} in place of the port
  std::map<std::string, std::string> announced{};  // the key=value pairs of its listening line
  std::optional<std::string> target{};             // host:port of a server that runs already
  std::optional<std::string> prefix{};             // of its replies; empty: none; absent: unknown
};

// Two servers that are compared, and the bare loop that is measured with them.
struct comparison {
  std::string base;                  // the denominator of every ratio
  std::string contender;             // the numerator; equal to base in an A/A control
  std::optional<std::string> floor;  // the bare loop with the same reactor

  friend bool operator==(const comparison&, const comparison&) = default;
};

// The machine and the build. Raw numbers of two runs are comparable only if these are equal.
struct environment {
  std::string cpu_model;
  int cpus = 0;
  std::string kernel;
  std::string virtualization;  // "none", "kvm", ... or "unknown"
  std::string governor;        // "n/a" where there is none
  std::string mitigations;     // a one-line summary of what the kernel reports
  std::string compiler;
  std::string build_type;
  std::string flags;
  std::string boost_version;
  std::optional<int> server_cpu;  // absent: not pinned
  std::optional<int> client_cpu;
  // Absent: the machine does not say, or the report is of an older version.
  std::optional<std::string>
      commit;  // of the checkout that was built: "4b61007" or "4b61007-dirty"
  std::optional<std::string> clock_rate;  // the highest of CPU 0, "2450 MHz"
  std::optional<std::string> caches;      // of CPU 0, "L1d 32K, L1i 32K, L2 512K"
  std::optional<int> tick_hz;             // of the kernel's timer
  // The kernel was built to count the time of interrupts apart from that of processes.
  std::optional<bool> irq_time;
};

// One text per member that both have and that differs, such as "kernel: \"6.1.0\" -> \"6.2.0\"".
// The commit does not count: that it differs is why users compare runs.
std::vector<std::string> differences_between(const environment& before, const environment& after);

// A host from which load came.
struct load_host {
  std::string name;    // as --from named it
  int generators = 1;  // processes on it, each with one thread
  std::string kernel;
  std::string cpu_model;
  int cpus = 0;
};

struct run_header {
  int format = 1;
  std::string started_utc;  // 2026-01-31T12:34:56Z
  std::string suite;
  std::string command_line;  // the command that repeats this run, quoted for a shell
  std::uint64_t seed = 0;
  int rounds = 0;  // as planned
  std::vector<scenario> scenarios;
  std::vector<server_info> servers;
  std::vector<comparison> comparisons;
  environment machine;
  std::optional<std::string> label;  // by which --label named the run
  std::optional<bool> watched;       // true: the run could end because of what it showed
  // Absent: one thread of this machine loaded the servers.
  std::optional<std::vector<load_host>> hosts{};
  std::optional<std::string> servers_on{};  // the host on which they ran; absent: this machine
};

// The latency of each message of a slice, in nanoseconds. Null: not kept.
using kept_histogram = std::shared_ptr<const histogram>;

// Values that only an open loop has. The percentiles in the slice itself are response times, which
// count from when a message was due; service times count from when it was sent.
struct open_loop_times {
  double rate_per_second = 0;  // as requested
  std::int64_t due = 0;        // messages that became due in the slice
  double service_p50_us = 0;
  double service_p90_us = 0;
  double service_p99_us = 0;
  double late_p99_us = 0;  // how late the client itself sent
  kept_histogram service{};
};

// What the generators of one host measured of a slice. No time crosses hosts: each of these was
// taken by the clock of that host alone.
struct host_share {
  std::string host;           // a name in run_header::hosts
  std::int64_t messages = 0;  // sum of its generators
  double p50_us = 0;          // of its own histogram
  double p99_us = 0;
  double late_p99_us = 0;         // open loop: how late it sent; closed loop: 0
  double client_utilisation = 0;  // 0 to 1, of the busiest of its generators
  // It began at most so long before another generator, or so late after its own time. An upper
  // limit: see synchronise() in bench/hosts/ranks/participant.hpp.
  double start_skew_us = 0;
  std::int64_t retransmits = 0;  // TCP segments sent again, from before the slice until after it
};

// One server during one timed stretch of load.
struct slice {
  std::string server;  // its name; the two sides of a control have the same name
  int launch = 0;      // 0: base, 1: contender, 2: floor; tells the sides of a control apart
  int position = 0;    // index into block::order; in a duet: which slice of the block
  double seconds = 0;
  std::int64_t messages = 0;
  // Of these messages, how many replies were compared byte by byte.
  std::optional<std::int64_t> checked;
  std::optional<double> cpu_ns{};  // process CPU time of the server, all threads
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double max_us = 0;
  double client_utilisation = 0;  // 0 to 1: share of a CPU that the client used
  std::optional<open_loop_times> open_loop{};
  std::optional<std::int64_t> start_ms{};  // Unix time
  kept_histogram latency{};  // only of a server loaded alone; open loop: response times
  std::optional<std::vector<host_share>> hosts{};  // absent: one thread loaded the servers
};

// The unit of replication: every server of one comparison is started anew, then loaded in slices.
struct block {
  block_kind kind = block_kind::duet;
  int round = 0;
  bool control = false;  // A/A: base and contender are two launches of one server
  bench::scenario scenario;
  bench::comparison comparison;
  std::string order;  // "ABBA" or "BAAB"; duet: the order of launch, such as "ABF"
  std::vector<slice> slices;
  double foreign_cpu_share = 0;  // share of the servers' CPU that other processes took
  double steal_share = 0;        // share of the servers' CPU that the hypervisor took
  // Of the client's CPU; absent: it has none of its own.
  std::optional<double> client_foreign_share{};
};

// The PSS of one server with that many open connections, each of which has echoed once.
struct memory_sample {
  std::string server;
  int connections = 0;
  double pss_kib = 0;
};

// System calls and context switches of one server under one load, measured outside the blocks.
struct kernel_sample {
  std::string server;
  bench::scenario scenario;
  std::int64_t messages = 0;
  std::optional<std::int64_t> system_calls;  // absent: counting is not permitted here
  std::int64_t context_switches = 0;
};

// Replaces control characters in texts that come from a file: it may be somebody else's, and an
// escape sequence in the name of a server would reach the terminal. Keeps the texts that every
// report shows escaped: command_line and the command and prefix of a server.
void make_printable(boost::json::value& from_file);

enum class run_end { complete, interrupted };

// A whole run, as read from run.ndjson.
struct run_record {
  run_header header;
  std::vector<block> blocks;
  std::vector<memory_sample> memory;
  std::vector<kernel_sample> kernel;
  std::vector<caveat> caveats_found;
  std::optional<run_end> end;        // absent: the run was killed
  bool last_line_truncated = false;  // the run was killed while it wrote; that line is left out
};

// One line of run.ndjson, without the newline. The first line of a file is the header.
std::string to_json_line(const run_header& header);
std::string to_json_line(const block& measured);
std::string to_json_line(const memory_sample& sample);
std::string to_json_line(const kernel_sample& sample);
std::string to_json_line(const caveat& found);
std::string to_json_line(run_end end);

// what() names the file, the line and what is wrong with it.
struct unreadable_run : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Reads a whole run.ndjson, compressed with gzip or not. An incomplete last line is left out and
// sets last_line_truncated. Throws unreadable_run for any other line that to_json_line() would not
// write, and for a block that is there twice.
run_record read_run(const std::filesystem::path& run_ndjson);

// What the header of a run says of its name. Empty where it cannot be read.
struct run_name {
  std::string started_utc;
  std::optional<std::string> label;
};
run_name name_of(const std::filesystem::path& run_ndjson);

}  // namespace bench
