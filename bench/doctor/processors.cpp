#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/analysis/caveats.hpp>
#include <bench/doctor/remarks.hpp>
#include <bench/text/numbers.hpp>
#include <sstream>

namespace bench {
namespace {

namespace fs = std::filesystem;

// The CPU quota of one control group, in CPUs. Version 2 has cpu.max, "max 100000" or "150000
// 100000"; version 1 has two files, and a quota of -1 for none. nullopt: no quota.
std::optional<double> quota_of(const fs::path& group) {
  std::istringstream both{first_line(group / "cpu.max")};
  double quota = 0, period = 0;
  if (both >> quota >> period && period > 0) return quota / period;
  const auto old_quota = number_in<double>(group / "cpu.cfs_quota_us");
  const auto old_period = number_in<double>(group / "cpu.cfs_period_us");
  if (!old_quota || !old_period || *old_quota <= 0 || *old_period <= 0) return std::nullopt;
  return *old_quota / *old_period;
}

// A line of /proc/self/cgroup, "0::/user.slice" or "1:cpu,cpuacct:/docker/1f": the folder of this
// process's group. Empty: the line is not about CPUs.
fs::path group_in(const std::string& line) {
  const auto first = line.find(':');
  const auto second = line.find(':', first + 1);
  if (second == std::string::npos) return {};
  const auto controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
  const auto path = fs::path{line.substr(second + 1)}.relative_path();
  if (controllers == ",,") return fs::path{"sys/fs/cgroup"} / path;
  if (controllers.find(",cpu,") == std::string::npos) return {};
  return fs::path{"sys/fs/cgroup/cpu"} / path;
}

// The lowest quota of this process's group and the groups above it. A container may not see the
// folder of its own group; its limits are then at the top.
std::optional<double> cpu_quota(const fs::path& root) {
  std::optional<double> tightest;
  std::ifstream groups{root / "proc/self/cgroup"};
  for (std::string line; std::getline(groups, line);)
    for (auto group = group_in(line); group.string().starts_with("sys/fs/cgroup");
         group = group.parent_path())
      if (const auto quota = quota_of(root / group))
        tightest = std::min(tightest.value_or(*quota), *quota);
  return tightest;
}

remark processors(const fs::path& root, const kernel_answers& answers) {
  const auto quota = cpu_quota(root);
  const auto read = fmt::format("{} usable, {}", answers.allowed.size(),
                                quota ? fmt::format("quota {:.3g}", *quota) : "no quota");
  if (quota && *quota < 2)
    return {health::problem, "processors", read,
            "servers and client want one each, and are stopped for the rest of each period",
            "raise cpu.max of the control group; docker run --cpus=2"};
  if (answers.allowed.size() < 2)
    return {health::advice, "processors", read,
            "servers and client share it, so there is no throughput verdict",
            "allow two; docker run --cpuset-cpus=0,1"};
  return ok("processors", read, "one for the servers, one for the client");
}

remark pinning_remark(const kernel_answers& answers) {
  if (answers.pin_refusal)
    return {health::problem, "pinning", *answers.pin_refusal,
            "a run stops here, because who moves between processors is measured with the move",
            "choose others with --pin SERVER_CPU,CLIENT_CPU, or give it up with --pin none"};
  if (!answers.pins)
    return {health::advice, "pinning", "not pinned",
            "the scheduler moves servers and client, and the levels with them",
            "--pin SERVER_CPU,CLIENT_CPU, where two processors are allowed"};
  return ok("pinning",
            fmt::format("servers on cpu{}, client on cpu{}", answers.pins->server_cpu,
                        answers.pins->client_cpu),
            "neither moves while it is measured");
}

// The hardware threads of a core share its execution units, so each slows the other.
remark core(const fs::path& root, const pinning& pins) {
  const auto of_server = siblings_of(pins.server_cpu, root);
  const auto servers_cpu = fmt::format("cpu{}", pins.server_cpu);
  if (of_server.empty())
    return ok("core", "the kernel does not tell who shares one", "nothing is known of siblings");
  if (of_server == siblings_of(pins.client_cpu, root))
    return {health::advice, "core",
            fmt::format("servers and client share a core (cpu{})", of_server),
            "each slows the other, most where both are busiest",
            "--pin with processors of two cores; echo off > /sys/devices/system/cpu/smt/control"};
  if (of_server != std::to_string(pins.server_cpu))
    return {health::advice, "core",
            fmt::format("{} is one thread of a core (cpu{})", servers_cpu, of_server),
            "whatever runs on the other thread slows the servers",
            "echo off > /sys/devices/system/cpu/smt/control"};
  return ok("core", servers_cpu + " has its core to itself", "no sibling slows the servers");
}

// A remark about the share of the servers' CPU that others took.
remark loss(std::string about, double share, std::string where_there_is_none, std::string means,
            std::string remedy) {
  auto read = percent_text(share) + " of the servers' processor, over a second";
  if (share < noisy_share)
    return ok(std::move(about), std::move(read), std::move(where_there_is_none));
  return {share <= ruinous_share ? health::advice : health::problem, std::move(about),
          std::move(read), std::move(means), std::move(remedy)};
}

remark foreign_cpu(const kernel_answers& answers) {
  return loss(
      "other programs", answers.foreign_cpu_share, "the servers have it to themselves",
      answers.foreign_cpu_share > ruinous_share
          ? "a run would give no verdict"
          : "throughput and latency are theirs, too; CPU per message only gets noisier",
      "stop them: ps -eo psr,pcpu,pid,args --sort=-pcpu | head; or --pin another processor");
}

remark steal(const kernel_answers& answers) {
  return loss("steal", answers.steal_share, "the hypervisor lets this machine run",
              answers.steal_share > ruinous_share
                  ? "a run would give no verdict"
                  : "the hypervisor runs somebody else, and the clock goes on meanwhile",
              "a machine with processors of its own, or another hour");
}

remark virtualization(const environment& machine) {
  if (machine.virtualization == "none")
    return ok("virtualization", "none", "levels are those of the hardware");
  return ok("virtualization", machine.virtualization,
            "levels wander with the neighbours; ratios of one block do not");
}

remark governor(const fs::path& root, const pinning& pins) {
  const auto read = first_line(
      root / fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", pins.server_cpu));
  if (read.empty()) return ok("governor", "none here", "the clock rate is not for this system");
  if (read == "performance") return ok("governor", read, "the clock rate does not follow the load");
  return {health::advice, "governor", read,
          "the clock rate follows the load: the server that waits more is run slower",
          "cpupower frequency-set --governor performance"};
}

remark turbo(const fs::path& root) {
  const auto cpus = root / "sys/devices/system/cpu";
  const auto no_turbo = number_in<int>(cpus / "intel_pstate/no_turbo");
  const auto boost = number_in<int>(cpus / "cpufreq/boost");
  if (!no_turbo && !boost) return ok("turbo", "not told", "the clock rate is not for this system");
  if (no_turbo.value_or(0) == 1 || (!no_turbo && *boost == 0))
    return ok("turbo", "off", "the clock rate does not follow the temperature");
  return {health::advice, "turbo", "on",
          "levels follow temperature and neighbours; ratios of one block do not",
          no_turbo ? "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"
                   : "echo 0 > /sys/devices/system/cpu/cpufreq/boost"};
}

// Never advises to change them: servers on the internet run with mitigations.
remark mitigations(const environment& machine) {
  return ok("mitigations", machine.mitigations,
            machine.mitigations == "none active"
                ? "system calls are as cheap as they get"
                : "each system call costs more, for every server alike");
}

remark clock_source(const fs::path& root) {
  const auto read =
      first_line(root / "sys/devices/system/clocksource/clocksource0/current_clocksource");
  constexpr std::array<std::string_view, 4> cheap{"tsc", "kvm-clock", "arch_sys_counter",
                                                  "hyperv_clocksource_tsc_page"};
  if (read.empty()) return ok("clock", "not told", "nothing is known of it");
  if (std::find(cheap.begin(), cheap.end(), read) != cheap.end())
    return ok("clock", read, "it is read without a system call");
  return {health::advice, "clock", read,
          "each look at it is a system call, which the client's core pays for every message",
          "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource"};
}

}  // namespace

std::vector<remark> processor_remarks(const fs::path& root, const kernel_answers& answers) {
  const auto machine = describe_machine(root);
  const auto pins = answers.pins.value_or(pinning{});
  return {processors(root, answers),
          pinning_remark(answers),
          core(root, pins),
          foreign_cpu(answers),
          steal(answers),
          virtualization(machine),
          governor(root, pins),
          turbo(root),
          mitigations(machine),
          clock_source(root)};
}

}  // namespace bench
