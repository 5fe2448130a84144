// fibers_tls: the echo server under TLS, one fiber per connection.
#include <bench/tls/server_context.hpp>
#include <fibers/programs/tcp_server.hpp>

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/container/small_vector.hpp>

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using fibers::error_code;
using secure_stream = asio::ssl::stream<fibers::stream_socket&>;

// Answers each read with the prefix and the bytes, and the end with close_notify. Returns why it
// ended.
error_code echo_handler(const bench::server_options& options, secure_stream& stream) {
  boost::container::small_vector<char, 1024> buffer(options.prefix.size() + options.buffer,
                                                    boost::container::default_init);
  options.prefix.copy(buffer.data(), options.prefix.size());
  const auto room = asio::buffer(buffer.data(), buffer.size()) + options.prefix.size();
  error_code error;
  while (const auto size = stream.read_some(room, error)) {
    if (options.inject_ns > 0ns) bench::spend_cpu(options.inject_ns);
    asio::write(stream, asio::buffer(buffer.data(), options.prefix.size() + size), error);
    if (error) return error;
  }
  const auto reason = error;
  if (bench::tls::can_say_goodbye(stream, reason)) stream.shutdown(error);
  return reason;
}

error_code secure_handler(const bench::server_options& options, fibers::stream_socket& socket) {
  if (options.idle_timeout > 0ns) socket.expires_when_idle(options.idle_timeout);
  secure_stream stream{socket, bench::tls::server_context()};
  error_code reason;
  stream.handshake(secure_stream::server, reason);
  if (!reason) reason = echo_handler(options, stream);
  error_code error;
  socket.flush(error);
  return reason;
}

}  // namespace

int main(int argc, char** argv) {
  bench::tls::server_context();
  return fibers::programs::run_server(
      argc, argv, {.name = "fibers_tls", .purpose = bench::tls::purpose}, secure_handler);
}
