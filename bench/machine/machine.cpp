#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bench/contract/build_info.hpp>
#include <bench/contract/version.hpp>
#include <bench/machine/kernel_config.hpp>
#include <bench/machine/machine.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

namespace bench {
namespace {

namespace fs = std::filesystem;

// The value of the first line "key : value" in /proc/cpuinfo.
std::string cpuinfo(const fs::path& root, std::string_view key) {
  std::ifstream file{root / "proc/cpuinfo"};
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with(key) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

// DMI names are free text. These words cover the hypervisors of the usual cloud providers.
std::string virtualization(const fs::path& root) {
  if (cpuinfo(root, "flags").find(" hypervisor") == std::string::npos) return "none";
  const auto firmware = first_line(root / "sys/class/dmi/id/sys_vendor") + " " +
                        first_line(root / "sys/class/dmi/id/product_name");
  const auto says = [&](const char* word) { return firmware.find(word) != std::string::npos; };
  if (says("VMware")) return "vmware";
  if (says("Microsoft")) return "hyper-v";
  if (says("Xen")) return "xen";
  const bool kvm_clock =
      first_line(root / "sys/devices/system/clocksource/clocksource0/current_clocksource") ==
      "kvm-clock";
  if (kvm_clock || says("KVM") || says("QEMU") || says("Google") || says("Amazon")) return "kvm";
  return "unknown";
}

// "meltdown: PTI | spectre_v2: ...": only vulnerabilities whose mitigation is active.
std::string mitigations(const fs::path& root) {
  std::set<std::string> active;
  std::error_code none;
  for (const auto& entry :
       fs::directory_iterator{root / "sys/devices/system/cpu/vulnerabilities", none}) {
    const auto text = first_line(entry.path());
    if (text.starts_with("Mitigation: ")) {
      active.insert(fmt::format("{}: {}", entry.path().filename().string(), text.substr(12)));
    }
  }
  return active.empty() ? "none active" : fmt::format("{}", fmt::join(active, " | "));
}

std::optional<std::string> clock_rate(const fs::path& root) {
  const auto khz = first_line(root / "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
  const double number = std::strtod(khz.c_str(), nullptr);
  if (!(number > 0)) return std::nullopt;
  return fmt::format("{:.0f} MHz", number / 1000);
}

// "L1d 32K, L1i 32K, L2 512K", by name.
std::optional<std::string> caches(const fs::path& root) {
  std::set<std::string> found;
  std::error_code none;
  for (const auto& entry :
       fs::directory_iterator{root / "sys/devices/system/cpu/cpu0/cache", none}) {
    const auto level = first_line(entry.path() / "level"), type = first_line(entry.path() / "type"),
               size = first_line(entry.path() / "size");
    const auto* kind = type == "Data" ? "d" : type == "Instruction" ? "i" : "";
    if (!level.empty()) found.insert(fmt::format("L{}{} {}", level, kind, size));
  }
  if (found.empty()) return std::nullopt;
  return fmt::format("{}", fmt::join(found, ", "));
}

}  // namespace

std::string first_line(const fs::path& file) {
  std::ifstream stream{file};
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string siblings_of(int cpu, const fs::path& root) {
  return first_line(root /
                    fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
}

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {};
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

std::optional<pinning> choose_pins(const std::vector<int>& allowed) {
  if (allowed.size() < 2) return std::nullopt;
  const auto core = siblings_of(allowed[0]);
  const auto other = std::find_if(allowed.begin() + 1, allowed.end(),
                                  [&](int cpu) { return siblings_of(cpu) != core; });
  return pinning{allowed[0], other == allowed.end() ? allowed[1] : *other};
}

void pin_this_thread(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(cpu), &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) {
    throw run_invalid(fmt::format("cannot pin to CPU {}: {}", cpu, std::strerror(errno)));
  }
}

int raise_descriptor_limit() {
  constexpr rlim_t enough = 65'536;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t hard = limit.rlim_max;
  limit.rlim_cur = limit.rlim_max = std::max(hard, enough);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {  // only root may raise the hard limit
    limit.rlim_cur = limit.rlim_max = hard;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int>::max()));
}

environment describe_machine(const fs::path& root) {
  utsname kernel{};
  uname(&kernel);
  environment machine;
  machine.cpu_model = cpuinfo(root, "model name");
  if (machine.cpu_model.empty()) machine.cpu_model = kernel.machine;
  machine.cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  machine.kernel = fmt::format("{} {}", kernel.sysname, kernel.release);
  machine.virtualization = virtualization(root);
  machine.governor = first_line(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (machine.governor.empty()) machine.governor = "n/a";
  machine.mitigations = mitigations(root);
  machine.compiler = build_info::compiler;
  machine.build_type = build_info::type;
  machine.flags = build_info::flags;
  machine.boost_version = boost_version();
  machine.commit = built_commit();
  machine.clock_rate = clock_rate(root);
  machine.caches = caches(root);
  const kernel_config config{root};
  if (const auto hz = config.value("CONFIG_HZ")) machine.tick_hz = std::atoi(hz->c_str());
  if (config.is_known()) machine.irq_time = config.value("CONFIG_IRQ_TIME_ACCOUNTING") == "y";
  return machine;
}

std::int64_t thread_cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * 1'000'000'000 + used.tv_nsec;
}

// A line of /proc/stat, in ticks: cpu0 user nice system idle iowait irq softirq steal ...
processor_times processor_times::read(std::optional<int> cpu) {
  const auto tick = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto wanted = cpu ? fmt::format("cpu{}", *cpu) : std::string{"cpu"};
  std::ifstream file{"/proc/stat"};
  processor_times times;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words{line};
    std::string name;
    double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
    words >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
    if (name.starts_with("cpu") && name != "cpu") ++times.processors;
    if (name != wanted) continue;
    times.busy = (user + nice + system + irq + softirq) / tick;
    times.steal = steal / tick;
  }
  if (cpu) times.processors = 1;
  return times;
}

}  // namespace bench
