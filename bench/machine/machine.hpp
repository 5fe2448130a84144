// machine: the CPUs of a run, a description of the machine, and the CPU time used on it.
//
//     auto pins = choose_pins(allowed_cpus());        // {server 0, client 1}
//     pin_this_thread(pins->client_cpu);
//     auto before = processor_times::read(pins->server_cpu); ... ; after.steal - before.steal
#pragma once

#include <bench/record/record.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct pinning {
  int server_cpu = 0;
  int client_cpu = 0;
};

// The CPUs that this process may run on, in ascending order.
std::vector<int> allowed_cpus();

// Two CPUs, if possible on different cores. nullopt if fewer than two are allowed.
std::optional<pinning> choose_pins(const std::vector<int>& allowed);

// Pins the calling thread to `cpu`. Throws run_invalid, which says why that fails.
void pin_this_thread(int cpu);

// Raises RLIMIT_NOFILE as far as permitted, because 10,000 connections need as many descriptors on
// either side. Servers inherit the limit. Returns how many descriptors this process may have open.
int raise_descriptor_limit();

// Descriptors that the client needs beside its connections: an epoll, memory files, pipes.
inline constexpr int other_descriptors = 64;

// Fills in everything except server_cpu and client_cpu.
environment describe_machine(const std::filesystem::path& root = "/");

// The CPUs on the same core as `cpu`, as in "0,2" (thread_siblings_list). Empty if the kernel does
// not tell.
std::string siblings_of(int cpu, const std::filesystem::path& root = "/");

// The first line of a file; empty if the file cannot be read.
std::string first_line(const std::filesystem::path& file);

// CPU time of the calling thread, in ns.
std::int64_t thread_cpu_ns();

// Time of one CPU, or the sum over all, in seconds since boot.
struct processor_times {
  double busy = 0;   // neither idle nor stolen
  double steal = 0;  // steal time: the hypervisor ran something else
  int processors = 0;

  static processor_times read(std::optional<int> cpu);  // nullopt: all CPUs
};

}  // namespace bench
