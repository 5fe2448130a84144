#include <bench/server/family.hpp>

#include <fmt/format.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace bench {
namespace {

// The process and what it has started: all of its process group, itself first.
std::vector<pid_t> members_of(pid_t leader) {
  std::vector<pid_t> members{leader};
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;  // stays 0 where the name is no number
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid > 0 && pid != leader && getpgid(pid) == leader) members.push_back(pid);
  }
  return members;
}

// The number that a process or a thread was given last, of whomever; 0 where that is not told.
// /proc/loadavg: "0.20 0.18 0.12 1/80 11206".
pid_t newest_number() {
  std::ifstream file{"/proc/loadavg"};
  std::string word;
  pid_t newest = 0;
  for (int i = 0; i < 4; ++i) file >> word;
  file >> newest;
  return newest;
}

// Page faults of its children that have ended and were waited for. None begins and ends without
// one, while its time may be less than the hundredth of a second that the kernel would tell.
// /proc/PID/stat: "pid (name) state ...", where a name may hold anything.
std::uint64_t faults_of_ended(pid_t process) {
  std::ifstream file{fmt::format("/proc/{}/stat", process)};
  std::string line;
  std::getline(file, line);
  std::istringstream rest{line.substr(line.rfind(')') + 1)};
  std::string word;
  std::uint64_t faults = 0;
  for (int i = 0; i < 8; ++i) rest >> word;  // from the state to the faults of its own
  rest >> faults;
  return faults;
}

// Sockets that listen on that port, by the names they have below /proc/PID/fd.
std::set<std::string> listeners_on(std::uint16_t port) {
  std::set<std::string> names;
  for (const auto* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file{table};
    for (std::string line; std::getline(file, line);) {
      std::istringstream words{line};
      std::string slot, local, remote, state, skipped, inode;
      words >> slot >> local >> remote >> state;
      for (int i = 0; i < 5; ++i) words >> skipped;
      if (words >> inode && state == "0A" && local.ends_with(fmt::format(":{:04X}", port)))
        names.insert(fmt::format("socket:[{}]", inode));
    }
  }
  return names;
}

// Absent: this process may not look.
std::optional<bool> has_one_of(pid_t process, const std::set<std::string>& sockets) {
  std::error_code error;
  std::filesystem::directory_iterator open_files{fmt::format("/proc/{}/fd", process), error};
  if (error) return std::nullopt;
  return std::any_of(begin(open_files), end(open_files), [&](const auto& each) {
    return sockets.contains(std::filesystem::read_symlink(each.path(), error).string());
  });
}

}  // namespace

// Where no number was given since, nobody was born: then it costs next to nothing to see that all
// are there. The number is read first, so that whoever is born meanwhile shows the next time.
bool process_family::count() {
  const auto newest = newest_number();
  const auto is_there = [](pid_t each) { return kill(each, 0) == 0; };
  if (newest != 0 && newest == newest_ && std::all_of(members_.begin(), members_.end(), is_there))
    return true;
  newest_ = newest;
  auto family = members_of(leader_);
  std::uint64_t faults = 0;
  for (auto each : family) faults += faults_of_ended(each);
  const bool is_same = family == members_ && faults == faults_of_ended_;
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

}  // namespace bench
