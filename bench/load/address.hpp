// address: where a server listens, as a sockaddr for connect().
//
//     auto server = address::resolve("localhost", 25000);
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// A "host:port" or "[::1]:port" from the command line. `host` may be a name that does not exist.
struct host_and_port {
  std::string host;
  std::uint16_t port = 0;

  // nullopt: there is no colon, or what follows the last one is not a number from 1 to 65535.
  static std::optional<host_and_port> parse(const std::string& text);
};

struct address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  std::string text;  // "127.0.0.1:25000", for messages
  // The name that TLS asks the server for, or empty if it has none. nullopt: no TLS.
  std::optional<std::string> tls_host{};

  // Throws cannot_connect, which says why the name or number is not an address.
  static std::vector<address> resolve_all(const std::string& host, std::uint16_t port);

  // A name such as localhost may stand for several addresses, of which a server may listen on one
  // only. This takes the first that accepts a connection, or the first of all. Throws as above.
  static address resolve(const std::string& host, std::uint16_t port);

  // Those of the devices of this host that are up, each with `port`. Neither loopback addresses nor
  // link-local ones. Empty if the kernel does not tell.
  static std::vector<address> all_of_this_host(std::uint16_t port);

  // A Unix socket at `path`. Throws server_failed if it is empty, longer than 107 bytes, or has a
  // byte 0, with which the name of a socket without a file begins.
  static address on_path(const std::string& path);

  // Tries to connect, for at most a second.
  bool accepts() const;
  // The same. False if it is no address of this host (any more), whoever else may accept.
  bool accepts_here() const;
  // Tries the same. True: nothing came back, not even a refusal.
  bool stays_silent() const;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// The first that accepts a connection; none does: the first of all. Precondition: there is one.
const address& first_to_accept(const std::vector<address>& all);

// Of an IPv4 or IPv6 address; 0 for a Unix socket.
std::uint16_t port_of(const address& where);

// nullopt: not a number from 1 to 65535.
std::optional<std::uint16_t> parse_port(std::string_view text);

}  // namespace bench
