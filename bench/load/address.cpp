#include <fmt/format.h>
#include <netdb.h>

#include <sys/un.h>
#include <bench/load/address.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/options.hpp>
#include <cstring>
#include <memory>

namespace bench {

address address::resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto service = fmt::format("{}", port);
  if (const int error = getaddrinfo(host.c_str(), service.c_str(), &hints, &found)) {
    throw server_failed(fmt::format("cannot resolve '{}': {}", host, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list{found, freeaddrinfo};

  address result;
  std::memcpy(&result.storage, list->ai_addr, list->ai_addrlen);
  result.length = list->ai_addrlen;
  const bool numeric_v6 = host.find(':') != std::string::npos;
  result.text = numeric_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  return result;
}

address address::on_path(const std::string& path) {
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

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto number = parse_number(text);
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

}  // namespace bench
