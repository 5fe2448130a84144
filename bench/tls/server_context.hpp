// server_context: the settings of TLS, the same for the servers on fibers and on Asio.
//
//     boost::asio::ssl::stream<socket&> secure{socket, bench::tls::server_context()};
#pragma once

#include <bench/tls/identity.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>

namespace bench::tls {

// Made at the first call, with an identity of its own. OpenSSL's defaults hold: clients and server
// agree on TLS 1.3, and after a handshake the server sends two session tickets. Nobody here resumes
// a session; but a server sends them unless it is told not to. asio::ssl::stream sets
// SSL_MODE_RELEASE_BUFFERS on every connection.
inline boost::asio::ssl::context& server_context() {
  static boost::asio::ssl::context made = [] {
    const identity self;
    boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
    context.use_certificate_chain(boost::asio::buffer(self.certificate_pem));
    context.use_private_key(boost::asio::buffer(self.key_pem), boost::asio::ssl::context::pem);
    return context;
  }();
  return made;
}

// After a failed read: whether the client sends no more, with close_notify or without, so that the
// stream's shutdown() may tell it the same. That then does not read: Asio on epoll reports the end
// of a stream to one read, and a second one would wait until the connection is idle for too long.
template <class Stream>
bool can_say_goodbye(Stream& stream, const boost::system::error_code& reason) {
  if (reason != boost::asio::error::eof && reason != boost::asio::ssl::error::stream_truncated) {
    return false;
  }
  SSL_set_shutdown(stream.native_handle(), SSL_RECEIVED_SHUTDOWN);
  return true;
}

inline constexpr auto purpose =
    "An echo server under TLS: each reply is the prefix and the bytes of one read.";

}  // namespace bench::tls
