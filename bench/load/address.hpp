// address: where a server listens, as a sockaddr for connect().
//
//     auto server = address::resolve("localhost", 25000);
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

  // Throws server_failed, which says why the name or number is not an address.
  static address resolve(const std::string& host, std::uint16_t port);

  // A Unix socket at `path`. Throws server_failed above 107 bytes.
  static address on_path(const std::string& path);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// nullopt: not a number from 1 to 65535.
std::optional<std::uint16_t> parse_port(std::string_view text);

}  // namespace bench
