#include <bench/hosts/ranks/description.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <bench/contract/build_info.hpp>
#include <bench/machine/machine.hpp>
#include <bench/text/numbers.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace bench {
namespace {

// FNV-1a, 64 bits (Fowler, Noll, Vo).
std::uint64_t digest_of(std::istream& in) {
  std::uint64_t digest = 14695981039346656037U;
  for (char letter; in.get(letter);) {
    digest ^= static_cast<unsigned char>(letter);
    digest *= 1099511628211U;
  }
  return digest;
}

int ports_for_connections() {
  std::ifstream in{"/proc/sys/net/ipv4/ip_local_port_range"};
  int low = 0, high = -1;
  in >> low >> high;
  return high - low + 1;
}

// "TCP: inuse 5 orphan 0 tw 3 alloc 7 mem 1"
int tcp_sockets() {
  std::ifstream in{"/proc/net/sockstat"};
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("TCP:")) continue;
    std::istringstream words{line.substr(4)};
    int used = 0;
    std::string name;
    for (int number = 0; words >> name >> number;)
      if (name == "inuse" || name == "tw") used += number;
    return used;
  }
  return 0;
}

// The devices that are up, each with its speed where the kernel tells one.
std::string links_of_this_host() {
  namespace fs = std::filesystem;
  std::string links;
  std::error_code ignored;
  for (const auto& each : fs::directory_iterator{"/sys/class/net", ignored}) {
    const auto name = each.path().filename().string();
    if (name == "lo" || first_line(each.path() / "operstate") == "down") continue;
    const auto speed = parse_number(first_line(each.path() / "speed"));
    links += (links.empty() ? "" : ", ") + name;
    if (speed && *speed > 0) links += fmt::format(" {} Mb/s", *speed);
  }
  return links;
}

}  // namespace

std::string build_of_this_program() {
  return build_of("/proc/self/exe");
}

std::string build_of(const std::filesystem::path& program) {
  std::ifstream file{program, std::ios::binary};
  return fmt::format("{} {} {} {:016x}", build_info::version, build_info::type,
                     build_info::compiler, digest_of(file));
}

generator_description describe_generator() {
  const auto machine = describe_machine();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return {.build = build_of_this_program(),
          .kernel = machine.kernel,
          .cpu_model = machine.cpu_model,
          .cpus = machine.cpus,
          .descriptors = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1'000'000'000)),
          .ports = ports_for_connections(),
          .ports_used = tcp_sockets(),
          .links = links_of_this_host(),
          .start_skew_us = 0};
}

}  // namespace bench
