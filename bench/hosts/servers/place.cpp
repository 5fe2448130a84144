#include <bench/hosts/servers/place.hpp>

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <bench/contract/descriptor.hpp>
#include <bench/hosts/launcher.hpp>
#include <bench/load/address.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/failure.hpp>

namespace bench {
namespace {

constexpr std::uint16_t any_port = 9;

// nullopt: the name has none.
std::optional<address> first_address_of(const std::string& name) try {
  auto all = address::resolve_all(name, any_port);
  return all.empty() ? std::nullopt : std::optional{std::move(all.front())};
} catch (const cannot_connect&) {
  return std::nullopt;
}

std::string numeric(const address& where) {
  char host[NI_MAXHOST] = "";
  getnameinfo(where.get(), where.length, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  return host;
}

// Which of its addresses this host gives to connections there. Sends nothing. nullopt: there is no
// way.
std::optional<std::string> own_address_to(const address& there) {
  const descriptor socket{::socket(there.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  address here;
  here.length = sizeof here.storage;
  if (::connect(socket.get(), there.get(), there.length) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&here.storage), &here.length) != 0)
    return std::nullopt;
  return numeric(here);
}

// user@host is a host for ssh.
std::string without_user(const std::string& host) {
  const auto sign = host.rfind('@');
  return sign == std::string::npos ? host : host.substr(sign + 1);
}

std::optional<std::string> own_address_to(const std::string& name) {
  const auto there = first_address_of(name);
  return there ? own_address_to(*there) : std::nullopt;
}

// The first host from which load comes and which is not this one; empty: there is none.
std::string other_host(const std::optional<hosts_request>& from) {
  if (!from) return {};
  for (const auto& each : from->hosts)
    if (!is_this_host(each.name)) return each.name;
  return {};
}

std::string own_address(const hosts_request& from, const std::vector<server_info>& servers) {
  for (const auto& each : servers) {
    if (!each.target) continue;
    if (const auto found = own_address_to(host_and_port::parse(*each.target).value().host))
      return *found;
  }
  for (const auto& each : from.hosts) {
    if (is_this_host(each.name)) continue;
    if (const auto found = own_address_to(without_user(each.name))) return *found;
  }
  const auto host = other_host(from);
  throw usage_error(
      fmt::format("--from {}: the servers run here, and {} needs an address for them: "
                  "--on localhost=ADDRESS",
                  host, host));
}

void expect_no_paths(const std::vector<server_info>& servers) {
  for (const auto& each : servers)
    if (each.command.find("{path}") != std::string::npos)
      throw usage_error(
          fmt::format("{}: another host cannot reach a server on a Unix socket", each.name));
}

servers_place with_address(servers_place place) {
  const auto found =
      first_address_of(place.address.empty() ? without_user(place.host) : place.address);
  if (!found && place.address.empty())
    throw usage_error(
        fmt::format("--on {0}: that name has no address here; --on {0}=ADDRESS says where the load "
                    "reaches the servers",
                    place.host));
  if (!found)
    throw usage_error(fmt::format("--on {}={}: that is no address", place.host, place.address));
  place.address = numeric(*found);
  return place;
}

}  // namespace

std::optional<servers_place> parse_place(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto sign = text.find('=');
  servers_place place{.host = text.substr(0, sign), .address = {}};
  if (sign != std::string::npos) place.address = text.substr(sign + 1);
  if (!is_host_name(place.host) || (sign != std::string::npos && place.address.empty()))
    throw usage_error(
        fmt::format("--on '{}' wants HOST or HOST=ADDRESS, as in server=10.0.0.2", text));
  return place;
}

std::optional<servers_place> place_of_servers(const std::optional<servers_place>& wanted,
                                              const std::optional<hosts_request>& from,
                                              const std::vector<server_info>& servers) {
  if (std::all_of(servers.begin(), servers.end(), [](const auto& each) { return each.target; })) {
    if (wanted) throw usage_error(fmt::format("--on {}: the run starts no server", wanted->host));
    return std::nullopt;
  }
  const bool here = !wanted || is_this_host(wanted->host);
  const bool has_address = wanted && !wanted->address.empty();
  if (here && !has_address && other_host(from).empty()) return std::nullopt;
  expect_no_paths(servers);
  if (here && !has_address)
    return servers_place{.host = "localhost", .address = own_address(*from, servers)};
  return with_address(*wanted);
}

bool can_listen_everywhere(const server_info& server) {
  return !package_of(server.name);
}

void listen_everywhere(std::vector<server_info>& servers, const std::string& address) {
  // A host may have no IPv6 at all, so :: is only for those that are reached by it.
  const auto* host = address.find(':') == std::string::npos ? " --host ''" : " --host ::";
  for (auto& each : servers)
    if (bundled_reactor(each.name) && can_listen_everywhere(each)) each.command += host;
}

}  // namespace bench
