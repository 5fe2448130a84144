#include <fmt/format.h>

#include <algorithm>
#include <bench/contract/printable.hpp>
#include <bench/doctor/remarks.hpp>
#include <bench/text/numbers.hpp>

namespace bench {
namespace {

constexpr int few_descriptors = 4096;
constexpr int few_ports = 10'000;
constexpr double much_skew_us = 2000;  // 1 % of a slice of 200 ms

struct examined_host {
  std::string name;
  int generators;
  const generator_description& about;
  double skew_us;  // the largest of its generators
};

remark host_itself(const examined_host& host) {
  const auto read = fmt::format("{} generator{}, {} CPUs ({}), kernel {}", host.generators,
                                host.generators == 1 ? "" : "s", host.about.cpus,
                                printable(host.about.cpu_model), printable(host.about.kernel));
  if (host.generators <= host.about.cpus)
    return ok(host.name, read, "it can be reached, and its build is the same as here");
  return {health::advice, host.name, read, "generators wait for each other's CPU",
          fmt::format("--from {}:{}", host.name, host.about.cpus)};
}

remark connections_of(const examined_host& host) {
  const int ports = std::max(0, host.about.ports - host.about.ports_used);
  const auto read = fmt::format("{} files for each generator, {} ports left for one server",
                                count_text(host.about.descriptors), count_text(ports));
  if (host.about.descriptors < few_descriptors)
    return {health::advice, host.name, read, "a generator needs a file for each connection",
            "ulimit -Hn, or LimitNOFILE= of the service that starts its shell"};
  if (ports < few_ports)
    return {health::advice, host.name, read,
            "each connection to one server needs a port of its own",
            fmt::format("sysctl -w net.ipv4.ip_local_port_range='1024 65535' on {}, or --source "
                        "{}=ADDRESS,ADDRESS",
                        host.name, host.name)};
  return ok(host.name, read, "as many connections fit");
}

remark beginning_of(const examined_host& host) {
  const auto read = fmt::format("{}begins at most {} us from the others",
                                host.about.links.empty() ? "" : printable(host.about.links) + "; ",
                                microseconds_text(host.skew_us));
  if (host.skew_us <= much_skew_us) return ok(host.name, read, "less than 1 % of a slice");
  return {health::advice, host.name, read, "over 1 % of a slice, in which not all of them load",
          "a shorter way between the hosts, or --network with the one to use"};
}

}  // namespace

std::vector<remark> examine_hosts(const std::vector<load_host>& hosts,
                                  const std::vector<generator_description>& generators) {
  std::vector<remark> all;
  std::size_t first = 0;
  for (const auto& each : hosts) {
    examined_host host{printable(each.name), each.generators, generators.at(first), 0};
    for (int i = 0; i < each.generators; ++i)
      host.skew_us = std::max(host.skew_us, generators.at(first++).start_skew_us);
    all.push_back(host_itself(host));
    all.push_back(connections_of(host));
    all.push_back(beginning_of(host));
  }
  return all;
}

}  // namespace bench
