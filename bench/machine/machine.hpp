// machine: the processors a run uses, what the machine is, and who else was busy on it.
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

// The processors this process may run on, in ascending order.
std::vector<int> allowed_cpus();

// Two processors that share no core where the machine has such; absent where fewer than two are
// allowed.
std::optional<pinning> choose_pins(const std::vector<int>& allowed);

// Throws run_invalid that says why it cannot.
void pin_this_thread(int cpu);

// Ten thousand connections need as many descriptors, on either side; servers inherit the limit.
// Returns how many this process may have open now.
int raise_descriptor_limit();

// Beside its connections the client has few descriptors: an epoll, memory files, pipes.
inline constexpr int other_descriptors = 64;

// Everything but the pins.
environment describe_machine(const std::filesystem::path& root = "/");

// Processors with the same text share a core; empty where the kernel does not tell.
std::string siblings_of(int cpu, const std::filesystem::path& root = "/");

// Empty where there is no such file.
std::string first_line(const std::filesystem::path& file);

// What the calling thread has used.
std::int64_t thread_cpu_ns();

// Time of one processor, or of all, in seconds since it started.
struct processor_times {
  double busy = 0;   // not idle, not stolen
  double steal = 0;  // the hypervisor ran somebody else
  int processors = 0;

  static processor_times read(std::optional<int> cpu);  // absent: all of them
};

}  // namespace bench
