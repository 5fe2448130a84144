// tcp: listener and stream, where a call that would block parks the fiber.
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
// What a stream can do, and how it fails, stands in stream_socket.hpp.
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

  // Takes over a connected socket, and makes it fit for the reactor: do not use the descriptor by
  // itself any more. Throws boost::system::system_error.
  static stream from_descriptor(int descriptor);

  // Opens and connects; what was open is closed.
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
  bool reuse_port = false;  // several listeners share the port, and the kernel its connections
  bool no_delay = true;     // TCP_NODELAY, inherited by what it accepts
};

class listener : public socket {
 public:
  // The host is a numeric address, a name, or empty for any address; port 0 is any port. A name is
  // looked up by a call that blocks the whole thread. Throws boost::system::system_error.
  listener(std::string_view host, std::uint16_t port, const listener_options& options = {});
  explicit listener(const endpoint& local, const listener_options& options = {});

  // Waits for a connection. When descriptors have run out (EMFILE, ENFILE) or memory has, the
  // connection stays in the backlog and calling again at once would spin: sleep a little first.
  stream accept(error_code& error);
  stream accept();

  endpoint local_endpoint(error_code& error) const noexcept;
  endpoint local_endpoint() const;
};

// Connects to a numeric address or a name, trying its addresses in turn. A name is looked up by a
// call that blocks the whole thread. Throws boost::system::system_error.
stream connect(std::string_view host, std::uint16_t port);
// The same, in at most that much time altogether; then it throws timed_out.
stream connect(std::string_view host, std::uint16_t port, clock::duration at_most);

// How a WebSocket of Boost.Beast ends the connection below it: both sides close in an order that
// loses no bytes. Beast finds this by argument-dependent lookup.
void teardown(boost::beast::role_type role, stream& ended, error_code& error);

}  // namespace fibers::tcp
