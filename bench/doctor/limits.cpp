#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bench/doctor/remarks.hpp>
#include <bench/text/numbers.hpp>
#include <cerrno>
#include <cstring>
#include <sstream>

namespace bench {
namespace {

namespace fs = std::filesystem;

// The largest load, c64/64+10000idle, has 10,064 connections to each of a duet's three servers, all
// held by one client.
constexpr int most_connections = 10'064;
constexpr int most_descriptors = 3 * most_connections + other_descriptors;

// From the line "MemAvailable:  4096 kB" of /proc/meminfo.
std::optional<double> available_mib(const fs::path& root) {
  std::ifstream in{root / "proc/meminfo"};
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    std::string key;
    double kib = 0;
    if (words >> key >> kib && key == "MemAvailable:") return kib / 1024;
  }
  return std::nullopt;
}

remark memory(const fs::path& root) {
  const auto mib = available_mib(root);
  if (!mib) return ok("memory", "not told", "nothing is known of it");
  const auto read = fmt::format("{:.0f} MiB available", *mib);
  if (*mib >= 1024) return ok("memory", read, "enough for c10000");
  return {*mib < 128 ? health::problem : health::advice, "memory", read,
          *mib < 128 ? "less than the smallest run wants"
                     : "c10000 with three servers wants about 1,024",
          "stop what holds it: ps -eo rss,pid,args --sort=-rss | head"};
}

remark disk(const kernel_answers& answers) {
  const double mib = static_cast<double>(answers.disk_bytes) / (1024 * 1024);
  const auto read = fmt::format("{:.0f} MiB free where the run is written", mib);
  if (mib >= 100) return ok("disk", read, "a run takes a few");
  return {mib < 10 ? health::problem : health::advice, "disk", read,
          "a run takes a few, and stops where there is no more; --resume goes on",
          "free some, or write elsewhere with --output DIR"};
}

remark descriptors(const kernel_answers& answers) {
  const auto read = fmt::format("{} for this process", count_text(answers.descriptors));
  if (answers.descriptors >= most_descriptors) return ok("descriptors", read, "enough for c10000");
  return {answers.descriptors < 1024 ? health::problem : health::advice, "descriptors", read,
          fmt::format("c10000 with three servers wants {}; rows that want more are left out",
                      count_text(most_descriptors)),
          "ulimit -Hn 65536 as root, or LimitNOFILE= of the service"};
}

remark ports(const fs::path& root) {
  std::istringstream both{first_line(root / "proc/sys/net/ipv4/ip_local_port_range")};
  int first = 0, last = 0;
  if (!(both >> first >> last)) return ok("ports", "not told", "nothing is known of them");
  const auto read = fmt::format("{} to {} for connections", first, last);
  if (last - first + 1 >= most_connections) return ok("ports", read, "enough for c10000");
  return {health::advice, "ports", read,
          fmt::format("{} are too few for c10000, whose run would stop", last - first + 1),
          "sysctl -w net.ipv4.ip_local_port_range='32768 60999'"};
}

remark backlog(const fs::path& root) {
  const auto most = number_in<int>(root / "proc/sys/net/core/somaxconn");
  if (!most) return ok("backlog", "not told", "nothing is known of it");
  const auto read = fmt::format("somaxconn {}", *most);
  if (*most >= 4096) return ok("backlog", read, "as the servers ask for");
  return {health::advice, "backlog", read,
          "servers ask for 4,096; who connects beyond it waits a second, which churn counts",
          "sysctl -w net.core.somaxconn=4096"};
}

// "hash 20:12 13:4", or "turn (Operation not permitted)".
std::string most_to_fewest(std::string_view name, const sharing& found) {
  if (!found.refusal.empty()) return fmt::format("{} ({})", name, found.refusal);
  auto text = std::string{name};
  for (const auto& each : found.shares) text += fmt::format(" {}:{}", each.most, each.fewest);
  return text;
}

remark listeners(const kernel_answers& answers) {
  const auto& by_hash = answers.by_steering.front();
  if (!by_hash.refusal.empty())
    return {health::advice, "listeners", by_hash.refusal,
            "nothing is known of who gets a connection; servers with several loops may not start",
            "permit SO_REUSEPORT and connections on 127.0.0.1"};
  if (by_hash.shares.empty()) return ok("listeners", "not told", "nothing is known of them");
  std::vector<int> loops;
  for (const auto& each : by_hash.shares) loops.push_back(each.listeners);
  std::vector<std::string> found;
  for (std::size_t i = 0; i < steering_names.size(); ++i)
    found.push_back(most_to_fewest(steering_names[i].first, answers.by_steering[i]));
  const auto read =
      fmt::format("of {} connections over {} loops most:fewest are {}", shared_out_connections,
                  fmt::join(loops, ", "), fmt::join(found, ", "));
  // A server has no more loops than there are processors.
  const auto processors = std::max<std::ptrdiff_t>(2, std::ssize(answers.allowed));
  const bool even = std::ranges::all_of(by_hash.shares, [&](const share& each) {
    return each.listeners > processors || each.most <= 2 * each.fewest;
  });
  if (even) return ok("listeners", read, "the hash is even enough for the processors here");
  return {health::advice, "listeners", read, "by the hash some loops are busy while others sleep",
          "--steer turn or --steer port of the servers, or more connections"};
}

remark io_uring(const fs::path& root, const kernel_answers& answers) {
  if (answers.io_uring_error == 0) return ok("io_uring", "permitted", "its rows can be measured");
  const auto off = number_in<int>(root / "proc/sys/kernel/io_uring_disabled").value_or(0);
  const auto* remedy = off != 0                           ? "sysctl -w kernel.io_uring_disabled=0"
                       : answers.io_uring_error == ENOSYS ? "Linux 5.1, built with io_uring"
                                                          : "docker run --security-opt "
                                                            "seccomp=unconfined";
  return {health::advice, "io_uring",
          fmt::format("{} (io_uring_disabled {})", std::strerror(answers.io_uring_error), off),
          "its rows are left out, and the report says so", remedy};
}

remark guards(const fs::path& root, const kernel_answers& answers) {
  if (answers.guard_error == 0)
    return ok("stack guards", "MADV_GUARD_INSTALL", "a million stacks fit in one mapping");
  const auto maps = number_in<int>(root / "proc/sys/vm/max_map_count").value_or(65'530);
  const auto read = fmt::format("no MADV_GUARD_INSTALL, max_map_count {}", count_text(maps));
  if (maps >= 2 * most_connections + 1000)
    return ok("stack guards", read, "two mappings a stack: enough for c10000");
  return {health::advice, "stack guards", read, "two mappings a stack: fibers end before c10000",
          "sysctl -w vm.max_map_count=262144"};
}

remark tracepoints(const fs::path& root, const kernel_answers& answers) {
  if (answers.tracepoint_refusal.empty())
    return ok("tracepoints", "permitted", "system calls a message can be counted");
  const auto paranoid = first_line(root / "proc/sys/kernel/perf_event_paranoid");
  return {health::advice, "tracepoints",
          fmt::format("{} (perf_event_paranoid {})", answers.tracepoint_refusal,
                      paranoid.empty() ? "not told" : paranoid),
          "system calls a message are n/a; times are measured all the same",
          "root, or: sysctl -w kernel.perf_event_paranoid=-1; mount -t tracefs none "
          "/sys/kernel/tracing"};
}

}  // namespace

std::vector<remark> limit_remarks(const fs::path& root, const kernel_answers& answers) {
  return {memory(root),
          disk(answers),
          descriptors(answers),
          ports(root),
          backlog(root),
          listeners(answers),
          io_uring(root, answers),
          guards(root, answers),
          tracepoints(root, answers)};
}

}  // namespace bench
