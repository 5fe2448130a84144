#include <bench/machine/kernel_counts.hpp>

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace bench {
namespace {

namespace fs = std::filesystem;

std::vector<pid_t> threads_of(const std::vector<pid_t>& processes) {
  std::vector<pid_t> threads;
  std::error_code gone;
  for (pid_t process : processes) {
    for (const auto& each : fs::directory_iterator{fmt::format("/proc/{}/task", process), gone})
      threads.push_back(std::stoi(each.path().filename()));
  }
  return threads;
}

// Sums the lines "voluntary_ctxt_switches: 12" and "nonvoluntary_ctxt_switches: 3" of each thread.
std::int64_t switches_of(const std::vector<pid_t>& threads) {
  std::int64_t total = 0;
  for (pid_t thread : threads) {
    std::ifstream status{fmt::format("/proc/{}/status", thread)};
    for (std::string line; std::getline(status, line);) {
      const auto colon = line.find(':');
      if (colon != std::string::npos && line.substr(0, colon).ends_with("ctxt_switches"))
        total += std::stoll(line.substr(colon + 1));
    }
  }
  return total;
}

// The id of the tracepoint raw_syscalls:sys_enter, which every system call passes. nullopt: tracefs
// is not mounted or not readable.
std::optional<std::uint64_t> tracepoint() {
  for (const auto* root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    std::ifstream file{fmt::format("{}/events/raw_syscalls/sys_enter/id", root)};
    std::uint64_t number = 0;
    if (file >> number) return number;
  }
  return std::nullopt;
}

descriptor open_counter(std::uint64_t tracepoint, pid_t thread) {
  perf_event_attr wanted{};
  wanted.size = sizeof wanted;
  wanted.type = PERF_TYPE_TRACEPOINT;
  wanted.config = tracepoint;
  wanted.inherit = 1;
  return descriptor{static_cast<int>(
      syscall(SYS_perf_event_open, &wanted, thread, -1, -1, PERF_FLAG_FD_CLOEXEC))};
}

}  // namespace

kernel_counts::kernel_counts(const std::vector<pid_t>& processes)
    : threads_{threads_of(processes)}, switches_before_{switches_of(threads_)} {
  const auto number = tracepoint();
  if (!number) {
    reason_ = "tracefs is not mounted or may not be read";
    return;
  }
  for (pid_t thread : threads_) {
    counters_.push_back(open_counter(*number, thread));
    if (counters_.back()) continue;
    reason_ = fmt::format("perf_event_open: {}", std::strerror(errno));
    counters_.clear();
    return;
  }
}

std::optional<std::int64_t> kernel_counts::system_calls() const {
  if (!reason_.empty()) return std::nullopt;
  std::int64_t total = 0;
  for (const auto& counter : counters_) {
    std::int64_t counted = 0;
    if (read(counter.get(), &counted, sizeof counted) == sizeof counted) total += counted;
  }
  return total;
}

std::int64_t kernel_counts::context_switches() const {
  return switches_of(threads_) - switches_before_;
}

}  // namespace bench
