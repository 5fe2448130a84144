// tcp: listener and stream. A call that would block parks the fiber.
//
//     fibers::tcp::listener listener{"127.0.0.1", 25000};
//     auto stream = listener.accept();
//     std::array<char, 1000> buffer;
//     boost::system::error_code error;
//     while (auto n = stream.read_some(boost::asio::buffer(buffer), error)) {
//       boost::asio::write(stream, boost::asio::buffer(buffer, n), error);
//       if (error) break;
//     }
//
// stream_socket.hpp says what a stream can do and how it fails.
#pragma once

#include <fibers/stream_socket.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string_view>

namespace boost::beast {
enum class role_type;
}

namespace fibers::tcp {

using fibers::error_code;
using endpoint = boost::asio::ip::tcp::endpoint;

class stream : public stream_socket {
 public:
  stream() = default;  // closed

  // A stream to which the descriptor is assigned. Throws boost::system::system_error.
  static stream from_descriptor(int descriptor);

  // Opens a socket and connects it. Closes the one that was open.
  void connect(const endpoint& peer, error_code& error);
  void connect(const endpoint& peer);

  endpoint local_endpoint(error_code& error) const noexcept;
  endpoint local_endpoint() const;
  endpoint remote_endpoint(error_code& error) const noexcept;
  endpoint remote_endpoint() const;

 private:
  friend class listener;
  using stream_socket::stream_socket;
};

struct listener_options {
  int backlog = 4096;       // the kernel caps it at net.core.somaxconn
  bool reuse_port = false;  // listeners share the port; the kernel distributes the connections
  bool no_delay = true;     // TCP_NODELAY; accepted connections inherit it
};

class listener : public socket {
 public:
  listener() = default;  // closed; assign() opens it

  // `host` is a numeric address, a name, or empty for any address. Port 0 is any free port. Looking
  // up a name blocks the whole thread. Throws boost::system::system_error.
  listener(std::string_view host, std::uint16_t port, const listener_options& options = {});
  explicit listener(const endpoint& local, const listener_options& options = {});

  // Waits for a connection. If descriptors or memory have run out, the connection stays in the
  // backlog, and accept() waits on: it tries again every 10 ms.
  stream accept(error_code& error);
  stream accept();

  endpoint local_endpoint(error_code& error) const noexcept;
  endpoint local_endpoint() const;
};

// Connects to a numeric address or a name, and tries the name's addresses in turn. Looking up a
// name blocks the whole thread. Throws boost::system::system_error.
stream connect(std::string_view host, std::uint16_t port);
// The same with a time limit for all addresses together. Throws timed_out when it passes.
stream connect_until(std::string_view host, std::uint16_t port, clock::time_point moment);
template <class Clock, class Duration>
stream connect_until(std::string_view host, std::uint16_t port,
                     const std::chrono::time_point<Clock, Duration>& moment) {
  return connect_until(host, port, deadline_at(moment));
}
template <class Rep, class Period>
stream connect_for(std::string_view host, std::uint16_t port,
                   const std::chrono::duration<Rep, Period>& duration) {
  return connect_until(host, port, deadline_after(duration));
}

// Closes the connection below a WebSocket of Boost.Beast. The two sides close in an order that
// loses no bytes. Beast finds this function by argument-dependent lookup.
void teardown(boost::beast::role_type role, stream& ended, error_code& error);

}  // namespace fibers::tcp
