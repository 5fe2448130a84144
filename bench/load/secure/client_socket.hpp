// client_socket: the socket of one connection of the load generator, plain or under TLS.
//
//     auto socket = connect_to("fibers/epoll", where, 5s, stop);   // TLS if where.tls_host is set
//     socket.send(bytes);
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <bench/contract/descriptor.hpp>
#include <bench/load/address.hpp>
#include <bench/load/secure/tls_session.hpp>
#include <memory>
#include <span>
#include <utility>

namespace bench {

class client_socket {
 public:
  client_socket() = default;

  // A socket that is connected or connecting to `where`.
  client_socket(descriptor socket, const address& where)
      : socket_{std::move(socket)},
        tls_{where.tls_host
                 ? std::make_unique<tls_session>(socket_.get(), *where.tls_host, where.text)
                 : nullptr} {}

  client_socket(client_socket&&) = default;
  // What was here says goodbye before its socket closes, as in the destructor.
  client_socket& operator=(client_socket other) noexcept {
    std::swap(socket_, other.socket_);
    std::swap(tls_, other.tls_);
    return *this;
  }

  int get() const { return socket_.get(); }
  bool is_secure() const { return tls_ != nullptr; }

  // As ::send() and ::recv() that do not wait and raise no signal; see tls_session.
  ssize_t send(std::span<const char> bytes) {
    if (tls_) return tls_->send(bytes);
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  ssize_t receive(std::span<char> into) {
    if (tls_) return tls_->receive(into);
    return ::recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT);
  }

  // After EAGAIN of a call that wants `usual`: what has to be polled for.
  short awaited(short usual) const { return tls_ ? tls_->awaited() : usual; }

  // TCP segments that were sent again; 0 of other sockets.
  std::int64_t retransmits() const {
    tcp_info found{};
    socklen_t length = sizeof found;
    const int error = getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &found, &length);
    return error == 0 ? found.tcpi_total_retrans : 0;
  }

 private:
  descriptor socket_;
  std::unique_ptr<tls_session> tls_;  // ends before its socket
};

}  // namespace bench
