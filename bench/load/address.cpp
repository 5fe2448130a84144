#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include <sys/un.h>
#include <algorithm>
#include <array>
#include <bench/contract/descriptor.hpp>
#include <bench/load/address.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/options.hpp>
#include <cerrno>
#include <cstring>
#include <memory>

namespace bench {

std::vector<address> address::resolve_all(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto service = fmt::format("{}", port);
  if (const int error = getaddrinfo(host.c_str(), service.c_str(), &hints, &found)) {
    throw cannot_connect(fmt::format("cannot resolve '{}': {}", host, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list{found, freeaddrinfo};

  const bool numeric_v6 = host.find(':') != std::string::npos;
  std::vector<address> all;
  for (const auto* each = list.get(); each != nullptr; each = each->ai_next) {
    auto& result = all.emplace_back();
    std::memcpy(&result.storage, each->ai_addr, each->ai_addrlen);
    result.length = each->ai_addrlen;
    result.text =
        numeric_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  }
  return all;
}

address address::resolve(const std::string& host, std::uint16_t port) {
  return first_to_accept(resolve_all(host, port));
}

std::vector<address> address::all_of_this_host(std::uint16_t port) {
  ifaddrs* found = nullptr;
  if (getifaddrs(&found) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list{found, freeifaddrs};
  std::vector<address> all;
  for (const auto* each = list.get(); each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || (each->ifa_flags & (IFF_UP | IFF_LOOPBACK)) != IFF_UP)
      continue;
    const int family = each->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    if (family == AF_INET6 &&
        IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr))
      continue;
    const socklen_t length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    char number[NI_MAXHOST] = "";
    if (getnameinfo(each->ifa_addr, length, number, sizeof number, nullptr, 0, NI_NUMERICHOST) == 0)
      all.push_back(resolve_all(number, port).front());
  }
  return all;
}

namespace {

descriptor impatient_socket(int family) {
  descriptor socket{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval limit{.tv_sec = 1, .tv_usec = 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return socket;
}

}  // namespace

bool address::accepts() const {
  const auto socket = impatient_socket(storage.ss_family);
  return ::connect(socket.get(), get(), length) == 0;
}

bool address::accepts_here() const {
  const auto socket = impatient_socket(storage.ss_family);
  const int later = 1;  // connect() chooses the port
  setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof later);
  auto own = *this;
  reinterpret_cast<sockaddr_in&>(own.storage).sin_port = 0;  // where sockaddr_in6 has it too
  return ::bind(socket.get(), own.get(), length) == 0 &&
         ::connect(socket.get(), get(), length) == 0;
}

bool address::stays_silent() const {
  const auto socket = impatient_socket(storage.ss_family);
  if (::connect(socket.get(), get(), length) == 0) return false;
  constexpr std::array silence{EINPROGRESS, EAGAIN,   ETIMEDOUT, EHOSTUNREACH,
                               ENETUNREACH, ENETDOWN, EHOSTDOWN};
  return std::find(silence.begin(), silence.end(), errno) != silence.end();
}

const address& first_to_accept(const std::vector<address>& all) {
  if (all.size() == 1) return all.front();
  const auto found =
      std::find_if(all.begin(), all.end(), [](const address& each) { return each.accepts(); });
  return found == all.end() ? all.front() : *found;
}

address address::on_path(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos)
    throw server_failed(fmt::format("'{}' is no path of a socket", path));
  address found;
  sockaddr_un name{};
  if (path.size() >= sizeof name.sun_path) {
    throw server_failed(fmt::format("{} is too long for the path of a socket", path));
  }
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, path.size());
  std::memcpy(&found.storage, &name, sizeof name);
  found.length = sizeof name;
  found.text = path;
  return found;
}

std::optional<host_and_port> host_and_port::parse(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto port = parse_port(std::string_view{text}.substr(colon + 1));
  if (!port) return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host_and_port{host, *port};
}

std::uint16_t port_of(const address& where) {
  switch (where.storage.ss_family) {
    case AF_INET:
      return ntohs(reinterpret_cast<const sockaddr_in&>(where.storage).sin_port);
    case AF_INET6:
      return ntohs(reinterpret_cast<const sockaddr_in6&>(where.storage).sin6_port);
    default:
      return 0;
  }
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto number = parse_number(text);
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

}  // namespace bench
