#include <bench/hosts/request.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/hosts/launcher.hpp>
#include <bench/load/address.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/numbers.hpp>
#include <numeric>

namespace bench {
namespace {

constexpr int most_generators = 1000;  // on one host

host_request parse_host(const std::string& text) {
  const auto colon = text.find(':');
  host_request found{.name = text.substr(0, colon), .generators = 1, .sources = {}};
  if (!is_host_name(found.name))
    throw usage_error(
        fmt::format("--from '{}' wants HOST or HOST:N, as in a:2,b, where HOST is a name or an "
                    "IPv4 address",
                    text));
  if (colon == std::string::npos) return found;
  const auto number = parse_number(text.substr(colon + 1));
  if (!number || *number < 1 || *number > most_generators)
    throw usage_error(
        fmt::format("--from '{}': the number of generators is not 1 to {}", text, most_generators));
  found.generators = static_cast<int>(*number);
  return found;
}

std::vector<host_request>::iterator find(std::vector<host_request>& all, const std::string& name) {
  return std::find_if(all.begin(), all.end(),
                      [&](const host_request& each) { return each.name == name; });
}

std::string names_of(const std::vector<host_request>& all) {
  std::string names;
  for (const auto& each : all) names += (names.empty() ? "" : ", ") + each.name;
  return names;
}

std::vector<std::string> parse_addresses(const std::string& option, const std::string& list) {
  auto all = split(list, ',');
  for (const auto& each : all) {
    try {
      if (!each.empty() &&
          each.find_first_not_of("0123456789abcdefABCDEF.:") == std::string::npos &&
          !address::resolve_all(each, 0).empty())
        continue;
    } catch (const cannot_connect&) {
    }
    throw usage_error(fmt::format("--source '{}': '{}' is no IPv4 or IPv6 address", option, each));
  }
  if (all.empty())
    throw usage_error(fmt::format("--source '{}' wants [HOST=]ADDRESS[,ADDRESS...]", option));
  return all;
}

void take_sources(const std::string& text, std::vector<host_request>& hosts) {
  const auto sign = text.find('=');
  const auto addresses =
      parse_addresses(text, sign == std::string::npos ? text : text.substr(sign + 1));
  if (sign == std::string::npos && hosts.size() > 1)
    throw usage_error(
        fmt::format("--source '{}' wants the host too, as in {}={}", text, hosts[0].name, text));
  const auto host = sign == std::string::npos ? hosts.begin() : find(hosts, text.substr(0, sign));
  if (host == hosts.end())
    throw usage_error(fmt::format("--source '{}': --from names only {}", text, names_of(hosts)));
  host->sources.insert(host->sources.end(), addresses.begin(), addresses.end());
}

}  // namespace

bool is_host_name(const std::string& text) {
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@";
  return !text.empty() && text.front() != '-' &&
         text.find_first_not_of(letters) == std::string::npos;
}

int hosts_request::generators() const {
  return std::accumulate(hosts.begin(), hosts.end(), 0,
                         [](int sum, const auto& each) { return sum + each.generators; });
}

void add_host_options(options& wanted, host_options& given) {
  wanted.add("from", given.from, "HOST[:N][,...]",
             "load from these hosts, with N generators on each");
  wanted.add("without", given.without, "HOST[,...]", "leave these out of --from");
  wanted.add("source", given.sources, "[HOST=]ADDRESS[,...]",
             "where the connections of a host begin");
  wanted.add("launcher", given.launcher, "COMMAND",
             "starts a program on a host, as 'ip netns exec'");
  wanted.add("network", given.network, "NETWORK",
             "by which the hosts agree, as 10.0.0.0/8 or eth0");
}

hosts_request parse_hosts(const host_options& given) {
  hosts_request found{
      .hosts = {}, .left_out = {}, .launcher = given.launcher, .network = given.network};
  for (const auto& each : split(given.from, ',')) {
    auto host = parse_host(each);
    if (find(found.hosts, host.name) != found.hosts.end())
      throw usage_error(fmt::format("--from '{}' names {} twice", given.from, host.name));
    found.hosts.push_back(std::move(host));
  }
  for (const auto& each : given.sources) take_sources(each, found.hosts);
  for (const auto& each : split(given.without, ',')) {
    const auto host = find(found.hosts, each);
    if (host == found.hosts.end())
      throw usage_error(
          fmt::format("--without '{}': --from names only {}", each, names_of(found.hosts)));
    found.hosts.erase(host);
    found.left_out.push_back(each);
  }
  if (found.hosts.empty())
    throw usage_error(fmt::format("--without '{}' leaves no host", given.without));
  return found;
}

hosts_request this_host_first(hosts_request wanted) {
  std::stable_partition(wanted.hosts.begin(), wanted.hosts.end(),
                        [](const host_request& each) { return is_this_host(each.name); });
  return wanted;
}

std::vector<std::string> own_sources(const host_options& given) {
  std::vector<host_request> self{{.name = "localhost", .generators = 1, .sources = {}}};
  for (const auto& each : given.sources) take_sources(each, self);
  return self.front().sources;
}

}  // namespace bench
