// raw_connection: a non-blocking connection to a server under test, for clients by the thousand.
//
// Each loopback address has some 28,000 ports, so clients spread over several addresses.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>

// Begins to connect. `buffer_bytes` 0: the kernel's default. Throws std::system_error.
inline int raw_connection(int port, std::size_t number = 0, int buffer_bytes = 0) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) throw std::system_error{errno, std::system_category(), "socket"};
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (buffer_bytes > 0) {
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  }
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number % 8));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool begun = bind(socket, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0 &&
                     (connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ||
                      errno == EINPROGRESS);
  if (begun) return socket;
  const int error = errno;
  close(socket);
  throw std::system_error{error, std::system_category(), "connect"};
}

// Closes with a reset, which leaves no port in TIME_WAIT.
inline void reset_connection(int socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(socket);
}
