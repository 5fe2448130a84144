// raw_socket: blocking sockets for the peers of a test, and the limit of open descriptors.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bench/contract/descriptor.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

using bench::descriptor;

inline int checked(int result, const char* what) {
  if (result < 0) throw std::system_error{errno, std::system_category(), what};
  return result;
}

inline void send_all(const descriptor& to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    checked(static_cast<int>(sent), "send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Receives `most` bytes, or fewer if the stream ends.
inline std::string receive_all(const descriptor& from, std::size_t most) {
  std::string bytes(most, '\0');
  std::size_t filled = 0;
  while (filled < most) {
    const auto got = ::recv(from.get(), bytes.data() + filled, most - filled, 0);
    if (checked(static_cast<int>(got), "recv") == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

// Closes the socket so that the peer gets a reset and not the end of the stream.
inline void reset(descriptor& closed) {
  const linger at_once{1, 0};
  ::setsockopt(closed.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  closed = descriptor{};
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

inline const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

inline descriptor new_socket() {
  return descriptor{checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
}

// A socket that is bound to a free port of the loopback address, and so reserves it.
struct bound_socket {
  bound_socket() {
    auto address = loopback(0);
    checked(::bind(socket.get(), generic(address), sizeof address), "bind");
    socklen_t length = sizeof address;
    checked(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length), "name");
    port = ntohs(address.sin_port);
  }
  descriptor socket = new_socket();
  std::uint16_t port = 0;
};

struct listening_socket : bound_socket {
  listening_socket() { checked(::listen(socket.get(), 128), "listen"); }
};

inline void connect_to(const descriptor& client, std::uint16_t port) {
  const auto address = loopback(port);
  checked(::connect(client.get(), generic(address), sizeof address), "connect");
}

inline descriptor connected_to(std::uint16_t port) {
  auto client = new_socket();
  connect_to(client, port);
  return client;
}

// The two ends of a TCP connection.
struct tcp_pair {
  tcp_pair() {
    listening_socket listener;
    near = connected_to(listener.port);
    far = descriptor{checked(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC), "")};
  }
  descriptor near, far;
};

// Puts a message into the error queue of `near`: after a send with MSG_ZEROCOPY, when the kernel no
// longer needs the bytes. Nothing reads that message here.
inline void put_into_error_queue(const tcp_pair& peers) {
  const int on = 1;
  checked(::setsockopt(peers.near.get(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on), "SO_ZEROCOPY");
  checked(static_cast<int>(::send(peers.near.get(), "a", 1, MSG_ZEROCOPY)), "send");
  receive_all(peers.far, 1);
}

// A pair of Unix-domain sockets. What one end has sent, the other can read at once, so it is exact
// how many bytes fit in.
struct local_pair {
  local_pair() {
    std::array<int, 2> both{};
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()), "socketpair");
    near = descriptor{both[0]};
    far = descriptor{both[1]};
  }
  descriptor near, far;
};

// Sends until a send would block. Returns the number of bytes.
inline std::size_t fill(const descriptor& to) {
  const std::string bytes(4096, 'x');
  std::size_t sent = 0;
  for (;;) {
    const auto taken = ::send(to.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken <= 0) return sent;
    sent += static_cast<std::size_t>(taken);
  }
}

// Fills the way to the peer until the kernel takes nothing more. Returns the number of bytes.
inline std::size_t fill_to_the_brim(const descriptor& to) {
  std::size_t all = 0;
  for (int looks_in_vain = 0; looks_in_vain < 3; ++looks_in_vain) {
    const auto more = fill(to);
    if (more > 0) looks_in_vain = -1;
    all += more;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return all;
}

// Changes the soft limit of open descriptors, and restores it in the destructor.
class descriptor_limit {
 public:
  descriptor_limit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  explicit descriptor_limit(rlim_t wanted) : descriptor_limit{} { set(wanted); }
  descriptor_limit(const descriptor_limit&) = delete;
  descriptor_limit& operator=(const descriptor_limit&) = delete;
  ~descriptor_limit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  void set(rlim_t wanted) const {
    const rlimit changed{wanted, before_.rlim_max};
    checked(::setrlimit(RLIMIT_NOFILE, &changed), "setrlimit");
  }
  // Sets the limit so low that no descriptor can be opened.
  void use_up() const {
    const descriptor next{checked(::dup(STDIN_FILENO), "dup")};
    set(static_cast<rlim_t>(next.get()));
  }
  void put_back() const { ::setrlimit(RLIMIT_NOFILE, &before_); }
  rlim_t most() const { return before_.rlim_max; }

 private:
  rlimit before_{};
};
