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
  using lowest_layer_type = stream;

  stream() = default;  // closed

  // A stream to which the descriptor is assigned. Throws boost::system::system_error; assign() is
  // the form with an error_code.
  static stream from_descriptor(int descriptor);

  // Opens a socket and connects it. Closes the one that was open. The stream is closed afterwards
  // if the call fails or throws.
  void connect(const endpoint& peer, error_code& error);
  void connect(const endpoint& peer);

  endpoint local_endpoint(error_code& error) const noexcept;
  endpoint local_endpoint() const;
  endpoint remote_endpoint(error_code& error) const noexcept;
  endpoint remote_endpoint() const;

  // What lies below asio::ssl::stream: secure.lowest_layer().remote_endpoint().
  stream& lowest_layer() noexcept { return *this; }
  const stream& lowest_layer() const noexcept { return *this; }

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
  listener() noexcept : socket{role::listener} {}  // closed; listen() and assign() open it

  // `host` is a numeric address, a name, or empty for every address of both families, IPv4 and
  // IPv6. (On such a listener the address of an IPv4 peer is a mapped one, ::ffff:192.0.2.1.) Port
  // 0 is any free port. Looking up a name blocks the whole thread. Throws
  // boost::system::system_error.
  listener(std::string_view host, std::uint16_t port, const listener_options& options = {});
  explicit listener(const endpoint& local, const listener_options& options = {});

  // What the constructors do. Closes the socket that was open.
  void listen(std::string_view host, std::uint16_t port, const listener_options& options,
              error_code& error);
  void listen(const endpoint& local, const listener_options& options, error_code& error);

  // Waits for a connection. If descriptors or memory have run out, the connection stays in the
  // backlog, and accept() waits on: it tries again every 10 ms. At most one fiber may wait; a
  // second one gets EBUSY. Several listeners of one port take options.reuse_port.
  stream accept(error_code& error);
  stream accept();
  // The same, and tells where the peer is. If the peer has reset the connection since, nobody
  // knows: `peer` is endpoint{} then.
  stream accept(endpoint& peer, error_code& error);
  stream accept(endpoint& peer);

  endpoint local_endpoint(error_code& error) const noexcept;
  endpoint local_endpoint() const;

 private:
  // Both return an errno value; 0 is success.
  int listen_everywhere(std::uint16_t port, const listener_options& options);
  int listen_at(const endpoint& local, const listener_options& options, bool both_families);
};

// Connects to a numeric address or a name, and tries the name's addresses in turn. An empty name is
// this machine. Looking up a name blocks the whole thread. On error the stream is closed.
stream connect(std::string_view host, std::uint16_t port, error_code& error);
stream connect(std::string_view host, std::uint16_t port);

// The same with a time limit for all addresses together. It fails with timed_out when that passes.
stream connect_until(std::string_view host, std::uint16_t port, clock::time_point moment,
                     error_code& error);
stream connect_until(std::string_view host, std::uint16_t port, clock::time_point moment);
template <class Clock, class Duration, class... Error>
stream connect_until(std::string_view host, std::uint16_t port,
                     const std::chrono::time_point<Clock, Duration>& moment, Error&... error) {
  return connect_until(host, port, deadline_at(moment), error...);
}
template <class Rep, class Period, class... Error>
stream connect_for(std::string_view host, std::uint16_t port,
                   const std::chrono::duration<Rep, Period>& duration, Error&... error) {
  return connect_until(host, port, deadline_after(duration), error...);
}

// Closes the connection below a WebSocket of Boost.Beast. The two sides close in an order that
// loses no bytes. Beast finds this function by argument-dependent lookup.
void teardown(boost::beast::role_type role, stream& ended, error_code& error);

}  // namespace fibers::tcp
