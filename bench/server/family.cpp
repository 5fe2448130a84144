#include <bench/server/family.hpp>

#include <fmt/format.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>

namespace bench {
namespace {

// Until a process that executes a program has an environment again. Some programs run without any
// variable; so this is also what they cost, all together.
constexpr std::chrono::milliseconds longest_exec{100};

std::vector<pid_t> all_processes() {
  std::vector<pid_t> all;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;  // stays 0 if the name is not a number
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid > 0) all.push_back(pid);
  }
  return all;
}

// The leader first, then all other processes of its process group.
std::vector<pid_t> family_of(pid_t leader) {
  std::vector<pid_t> members{leader};
  for (const pid_t pid : all_processes())
    if (pid != leader && getpgid(pid) == leader) members.push_back(pid);
  return members;
}

// The last PID given to any process or thread of the system (fifth field of /proc/loadavg, as in
// "0.20 0.18 0.12 1/80 11206"); 0 if it cannot be read.
pid_t newest_number() {
  std::ifstream file{"/proc/loadavg"};
  std::string word;
  pid_t newest = 0;
  for (int i = 0; i < 4; ++i) file >> word;
  file >> newest;
  return newest;
}

// The minor page faults of this process's children that have ended and were waited for (cminflt in
// /proc/PID/stat). Every process has at least one page fault, so the number shows each child that
// ended; their CPU time (cutime) has a resolution of 10 ms and would not. The line is "pid (name)
// state ...", and the name may contain any character, even ')'.
std::uint64_t faults_of_ended(pid_t process) {
  std::ifstream file{fmt::format("/proc/{}/stat", process)};
  std::string line;
  std::getline(file, line);
  std::istringstream rest{line.substr(line.rfind(')') + 1)};
  std::string word;
  std::uint64_t faults = 0;
  for (int i = 0; i < 8; ++i) rest >> word;  // from state to minflt
  rest >> faults;
  return faults;
}

// SIGCHLD is then bit 16 of the mask "SigIgn:" (in hexadecimal digits) in /proc/PID/status.
bool ignores_end_of_children(pid_t process) {
  std::ifstream file{fmt::format("/proc/{}/status", process)};
  for (std::string word; file >> word;) {
    std::uint64_t ignored = 0;
    if (word == "SigIgn:" && file >> std::hex >> ignored)
      return (ignored >> (SIGCHLD - 1) & 1) != 0;
  }
  return false;
}

// /proc/PID/environ separates the variables by zero bytes. nullopt: this process may not read it.
std::optional<std::vector<std::string>> environment_of(pid_t process) {
  std::ifstream file{fmt::format("/proc/{}/environ", process)};
  if (!file) return std::nullopt;
  std::vector<std::string> variables;
  for (std::string each; std::getline(file, each, '\0');) variables.push_back(each);
  return variables;
}

// The first number of /proc/PID/statm: 0 for threads of the kernel and for what has ended.
bool has_memory(pid_t process) {
  std::ifstream file{fmt::format("/proc/{}/statm", process)};
  std::uint64_t pages = 0;
  return file >> pages && pages > 0;
}

// The sockets that listen on `port`, as /proc/PID/fd names them: "socket:[inode]". The kernel lists
// what listens (state 0A) first. Reading on would take long beside the connections of a run.
std::set<std::string> listeners_on(std::uint16_t port) {
  std::set<std::string> names;
  for (const auto* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file{table};
    std::string line;
    std::getline(file, line);  // the heads of the columns
    while (std::getline(file, line)) {
      std::istringstream words{line};
      std::string slot, local, remote, state, skipped, inode;
      words >> slot >> local >> remote >> state;
      if (state != "0A") break;
      for (int i = 0; i < 5; ++i) words >> skipped;
      if (words >> inode && local.ends_with(fmt::format(":{:04X}", port)))
        names.insert(fmt::format("socket:[{}]", inode));
    }
  }
  return names;
}

// nullopt: this process may not read /proc/PID/fd.
std::optional<bool> has_one_of(pid_t process, const std::set<std::string>& sockets) {
  std::error_code error;
  std::filesystem::directory_iterator open_files{fmt::format("/proc/{}/fd", process), error};
  if (error) return std::nullopt;
  return std::any_of(begin(open_files), end(open_files), [&](const auto& each) {
    return sockets.contains(std::filesystem::read_symlink(each.path(), error).string());
  });
}

}  // namespace

// If the system has given no PID since the last count, no process was born, and it suffices to
// check that all members exist, which costs little. The PID is read first, so that a process born
// during the count is seen by the next one.
bool process_family::count() {
  const auto newest = newest_number();
  const auto is_there = [](pid_t each) { return kill(each, 0) == 0; };
  if (newest != 0 && newest == newest_ && std::all_of(members_.begin(), members_.end(), is_there))
    return true;
  const bool something_began = newest == 0 || newest != newest_;
  newest_ = newest;
  auto family = family_of(leader_);
  std::uint64_t faults = 0;
  for (auto each : family) faults += faults_of_ended(each);
  const bool may_have_missed =
      something_began && std::any_of(family.begin(), family.end(), ignores_end_of_children);
  const bool is_same = family == members_ && faults == faults_of_ended_ && !may_have_missed;
  members_ = std::move(family);
  faults_of_ended_ = faults;
  return is_same;
}

double process_family::cpu_ns() const {
  double total = 0;
  for (const auto& each : members_) {
    timespec used{};
    clockid_t its{};
    if (clock_getcpuclockid(each, &its) != 0) continue;
    clock_gettime(its, &used);
    total += static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec);
  }
  return total;
}

std::optional<double> process_family::pss_kib() const {
  std::optional<double> total;
  for (const auto& each : members_) {
    std::ifstream rollup{fmt::format("/proc/{}/smaps_rollup", each)};
    for (std::string line; std::getline(rollup, line);) {
      if (line.starts_with("Pss:")) total = total.value_or(0) + std::stod(line.substr(4));
    }
  }
  return total;
}

bool process_family::listens_on(std::uint16_t port) const {
  const auto sockets = listeners_on(port);
  return std::any_of(members_.begin(), members_.end(),
                     [&](pid_t each) { return has_one_of(each, sockets).value_or(true); });
}

std::vector<pid_t> processes_with(const std::string& variable) {
  std::vector<pid_t> found;
  const auto until = std::chrono::steady_clock::now() + longest_exec;
  for (const pid_t pid : all_processes()) {
    auto variables = environment_of(pid);
    while (variables && variables->empty() && has_memory(pid) &&
           std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
      variables = environment_of(pid);
    }
    if (variables && std::find(variables->begin(), variables->end(), variable) != variables->end())
      found.push_back(pid);
  }
  return found;
}

}  // namespace bench
