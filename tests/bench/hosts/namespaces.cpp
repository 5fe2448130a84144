#include <tests/bench/hosts/namespaces.hpp>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <tests/child_process.hpp>
#include <thread>

namespace {

using words = std::vector<std::string>;
namespace fs = std::filesystem;

constexpr const char* named_namespaces = "/run/netns";
constexpr std::string_view family = "ebt";  // with it begin all names of test networks

std::optional<std::string> find_tool(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string folders = path != nullptr ? path : "";
  folders += ":/usr/sbin:/sbin";  // which a user's PATH lacks
  for (std::size_t from = 0; from <= folders.size();) {
    const auto to = std::min(folders.find(':', from), folders.size());
    const auto tool = folders.substr(from, to - from) + "/" + name;
    if (tool.front() == '/' && access(tool.c_str(), X_OK) == 0) return tool;
    from = to + 1;
  }
  return {};
}

const std::string& tool(const std::string& name) {
  static const auto ip = find_tool("ip");
  static const auto tc = find_tool("tc");
  const auto& found = name == "ip" ? ip : tc;
  if (!found) throw std::runtime_error{"there is no program " + name + " (package iproute2)"};
  return *found;
}

ended_process try_tool(words command) {
  command[0] = tool(command[0]);
  return run_program(command);
}

// Returns what the program printed.
std::string must(const words& command) {
  auto ended = try_tool(command);
  if (ended.exit_code == 0) return std::move(ended.output);
  std::string said;
  for (const auto& each : command) said += each + " ";
  said.back() = ':';
  while (!ended.errors.empty() && ended.errors.back() == '\n') ended.errors.pop_back();
  throw std::runtime_error{said + " " + ended.errors};
}

// The processes whose network namespace is the one of that name.
std::vector<pid_t> processes_of(const std::string& name) {
  std::vector<pid_t> found;
  struct stat wanted {};
  if (stat((fs::path{named_namespaces} / name).c_str(), &wanted) != 0) return found;
  std::error_code ignored;
  for (const auto& each : fs::directory_iterator{"/proc", ignored}) {
    const auto pid = std::atoi(each.path().filename().c_str());
    struct stat has {};
    if (pid > 0 && stat((each.path() / "ns/net").c_str(), &has) == 0 &&
        has.st_ino == wanted.st_ino && has.st_dev == wanted.st_dev)
      found.push_back(pid);
  }
  return found;
}

// Kills the processes of a namespace until there are no more: one may fork meanwhile.
void kill_all_of(const std::string& name) {
  for (int tries = 0; tries < 1000; ++tries) {
    const auto left = processes_of(name);
    if (left.empty()) return;
    for (const auto pid : left)
      if (pid != getpid()) kill(pid, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

// The names of namespaces that begin so.
words namespaces_like(const std::string& beginning) {
  words found;
  std::error_code none_yet;
  for (const auto& each : fs::directory_iterator{named_namespaces, none_yet})
    if (each.path().filename().string().starts_with(beginning))
      found.push_back(each.path().filename());
  return found;
}

// A namespace ends some time after its name; its links in other namespaces end with it. So they are
// removed first.
void remove_network(const std::string& name) {
  if (if_nametoindex(name.c_str()) != 0) try_tool({"ip", "link", "delete", name});
  for (const auto& each : namespaces_like(name)) {
    kill_all_of(each);
    try_tool({"ip", "netns", "delete", each});
  }
}

// What processes have left that are no more: the name of a network is `family`, the number of the
// process and a letter.
void remove_abandoned() {
  for (const auto& each : namespaces_like(std::string{family})) {
    const auto letter = each.find_first_not_of("0123456789", family.size());
    const auto pid = std::atoi(each.c_str() + family.size());
    if (letter == each.npos || pid <= 0) continue;
    if (kill(pid, 0) != 0 && errno == ESRCH) remove_network(each.substr(0, letter + 1));
  }
}

// An abstract address, which the kernel frees when this process ends. Empty if it is taken.
bench::descriptor claim(const std::string& what) {
  bench::descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  const auto name = "test_network " + what;
  std::memcpy(where.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&where), length) != 0) return {};
  return socket;
}

// True if this machine has an address there, or sends there otherwise than to its gateway.
bool is_in_use(const std::string& subnet) {
  if (!must({"ip", "-4", "address", "show", "to", subnet}).empty()) return true;
  if (!must({"ip", "-4", "route", "show", "to", "root", subnet}).empty()) return true;
  std::istringstream routes{must({"ip", "-4", "route", "show", "to", "match", subnet})};
  for (std::string line; std::getline(routes, line);)
    if (!line.starts_with("default")) return true;
  return false;
}

// The subnet of that number: 32768 are in 10.128.0.0/9, and 4096 in 172.16.0.0/12.
std::string prefix_of(std::size_t number, bool second_choice) {
  const auto part = [](std::size_t n) { return std::to_string(n % 256) + "."; };
  if (second_choice) return "172." + part(16 + number / 256 % 16) + part(number);
  return "10." + part(128 + number / 256 % 128) + part(number);
}

std::string bits(double per_second) {
  return std::to_string(static_cast<long long>(per_second)) + "bit";
}

}  // namespace

test_network::test_network(std::size_t hosts) : hosts_{hosts} {
  static std::atomic<std::size_t> made{0};
  const auto number = made++;
  if (hosts > 250) throw std::runtime_error{"a test network has at most 250 hosts"};
  name_ = std::string{family} + std::to_string(getpid()) + static_cast<char>('a' + number % 26);
  remove_abandoned();
  remove_network(name_);  // of a former process with the number of this one
  choose_addresses(number);
  try {
    make_switch();
    for (std::size_t host = 0; host < hosts_; ++host) {
      must({"ip", "netns", "add", name(host)});
      must({"ip", "-n", name(host), "link", "set", "lo", "up"});
      plug(host);
    }
  } catch (...) {
    remove();
    throw;
  }
}

test_network::~test_network() {
  remove();
}

void test_network::remove() {
  try {
    remove_network(name_);
  } catch (const std::exception& error) {
    std::cerr << "test_network: " << error.what() << '\n';
  }
}

const std::string& test_network::why_not() {
  static const std::string reason = [] {
    try {
      test_network network{1};
      network.limit(0, 1e6);
      const auto ended = run_program(network.words_in(0, {"true"}));
      return ended.exit_code == 0 ? std::string{} : "ip netns exec: " + ended.errors;
    } catch (const std::exception& error) {
      return std::string{error.what()};
    }
  }();
  return reason;
}

void test_network::choose_addresses(std::size_t number) {
  const auto first = static_cast<std::size_t>(getpid()) + number * 4099;
  for (const bool second_choice : {false, true}) {
    for (std::size_t next = 0; next < 16; ++next) {
      prefix_ = prefix_of(first + next * 257, second_choice);
      if (is_in_use(prefix_ + "0/24")) continue;
      claim_ = claim(prefix_);
      if (claim_) return;
    }
  }
  throw std::runtime_error{"every private subnet is in use, of 32 that were tried"};
}

void test_network::make_switch() {
  const auto here = switch_name();
  must({"ip", "netns", "add", here});
  must({"ip", "-n", here, "link", "add", "switch", "type", "bridge", "stp_state", "0",
        "forward_delay", "0", "mcast_snooping", "0"});
  must({"ip", "-n", here, "link", "set", "switch", "addrgenmode", "none", "up"});
  must({"ip", "link", "add", name_, "type", "veth", "peer", "name", "machine", "netns", here});
  must({"ip", "-n", here, "link", "set", "machine", "master", "switch", "addrgenmode", "none",
        "up"});
  must({"ip", "link", "set", name_, "addrgenmode", "none", "up"});
  must({"ip", "address", "add", own_address() + "/24", "dev", name_});
}

void test_network::plug(std::size_t host) {
  must({"ip", "link", "add", host_end, "netns", name(host), "type", "veth", "peer", "name",
        port(host), "netns", switch_name()});
  settle(host);
}

void test_network::unplug(std::size_t host) {
  must({"ip", "-n", name(host), "link", "delete", host_end});
}

// The hardware address is always the same, so that others find the host when its line is replaced.
void test_network::settle(std::size_t host) {
  const auto here = name(host);
  const auto low = "0123456789abcdef";
  const std::string hardware{'0',
                             '2',
                             ':',
                             'e',
                             'b',
                             ':',
                             '0',
                             '0',
                             ':',
                             '0',
                             '0',
                             ':',
                             '0',
                             '0',
                             ':',
                             low[(host + 1) / 16],
                             low[(host + 1) % 16]};
  must({"ip", "-n", switch_name(), "link", "set", port(host), "master", "switch", "addrgenmode",
        "none", "up"});
  must({"ip", "-n", here, "link", "set", host_end, "address", hardware, "addrgenmode", "none",
        "up"});
  must({"ip", "-n", here, "address", "add", address(host) + "/24", "dev", host_end});
}

words test_network::words_in(std::size_t host, const words& given) const {
  words all{tool("ip"), "netns", "exec", name(host)};
  all.insert(all.end(), given.begin(), given.end());
  return all;
}

std::vector<pid_t> test_network::processes_in(std::size_t host) const {
  return processes_of(name(host));
}

void test_network::enter(const std::string& name) {
  const auto path = fs::path{named_namespaces} / name;
  const bench::descriptor there{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!there || setns(there.get(), CLONE_NEWNET) != 0)
    throw std::system_error{errno, std::generic_category(), path};
}

void test_network::cut(std::size_t host) {
  must({"ip", "-n", switch_name(), "link", "set", port(host), "down"});
}

void test_network::heal(std::size_t host) {
  must({"ip", "-n", switch_name(), "link", "set", port(host), "up"});
}

// The bucket holds what comes in ten milliseconds, and at least ten frames.
void test_network::limit(std::size_t host, double bits_per_second) {
  const auto burst = std::to_string(static_cast<int>(std::max(16e3, bits_per_second / 800)));
  for (const auto& [where, link] :
       {std::pair{name(host), std::string{host_end}}, std::pair{switch_name(), port(host)}})
    must({"tc", "-n", where, "qdisc", "replace", "dev", link, "root", "tbf", "rate",
          bits(bits_per_second), "burst", burst, "latency", "100ms"});
}

void test_network::lift_limit(std::size_t host) {
  must({"tc", "-n", name(host), "qdisc", "delete", "dev", host_end, "root"});
  must({"tc", "-n", switch_name(), "qdisc", "delete", "dev", port(host), "root"});
}

permitted_network::permitted_network() {
  const auto& reason = test_network::why_not();
  if (reason.empty()) return;
  std::cout << "skipped: hosts are network namespaces, and none can be made: " << reason << '\n'
            << std::flush;
  std::_Exit(77);
}
