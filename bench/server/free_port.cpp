#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <bench/load/address.hpp>
#include <bench/server/free_port.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>

namespace bench {
namespace {

constexpr std::uint16_t lowest_port = 20'000;
constexpr int fewest_to_choose_from = 1'000;
constexpr int attempts = 100;

int bound_to(const address& where, descriptor& socket) {
  socket = descriptor{::socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  return ::bind(socket.get(), where.get(), where.length) == 0 ? 0 : errno;
}

bool is_free(const char* loopback, std::uint16_t port) {
  descriptor socket;
  return bound_to(address::resolve(loopback, port), socket) != EADDRINUSE;
}

std::uint16_t port_from_the_kernel() {
  for (;;) {
    descriptor v4;
    auto any = address::resolve("127.0.0.1", 0);
    if (const int error = bound_to(any, v4))
      throw run_invalid(fmt::format("cannot find a free port: {}", std::strerror(error)));
    ::getsockname(v4.get(), reinterpret_cast<sockaddr*>(&any.storage), &any.length);
    const auto port = ntohs(reinterpret_cast<const sockaddr_in&>(any.storage).sin_port);
    if (is_free("::1", port)) return port;
  }
}

}  // namespace

port_range ephemeral_ports() {
  int first = 0, last = 0;
  std::ifstream file{"/proc/sys/net/ipv4/ip_local_port_range"};
  if (!(file >> first >> last)) return {32'768, 60'999};
  return {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)};
}

std::uint16_t free_port(port_range ephemeral) {
  if (ephemeral.first < lowest_port + fewest_to_choose_from) return port_from_the_kernel();
  std::random_device random;
  std::uniform_int_distribution<int> any{lowest_port, ephemeral.first - 1};
  for (int i = 0; i < attempts; ++i) {
    const auto port = static_cast<std::uint16_t>(any(random));
    if (is_free("127.0.0.1", port) && is_free("::1", port)) return port;
  }
  return port_from_the_kernel();
}

}  // namespace bench
