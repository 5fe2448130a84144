// fibers_echo: the echo server, one fiber per connection.
//
// echo_handler reads like a blocking server, but a call blocks only its fiber. What else a server
// does stands in tcp_server.hpp.
#include <bench/contract/acknowledgements.hpp>
#include <fibers/programs/tcp_server.hpp>

#include <boost/container/small_vector.hpp>

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using fibers::error_code;

// Answers each receive with the prefix and the received bytes, or acknowledges. Returns why it
// ended.
error_code echo_handler(const bench::server_options& options, fibers::stream_socket& stream) {
  // Up to a kilobyte the buffer lies on the stack, where a page is there in any case.
  boost::container::small_vector<char, 1024> buffer(options.prefix.size() + options.buffer,
                                                    boost::container::default_init);
  options.prefix.copy(buffer.data(), options.prefix.size());
  const auto room = asio::buffer(buffer.data(), buffer.size()) + options.prefix.size();
  if (options.idle_timeout > 0ns) stream.expires_when_idle(options.idle_timeout);
  bench::acknowledgements owed;
  error_code error;
  while (const auto size = stream.read_some(room, error)) {
    if (options.inject_ns > 0ns) bench::spend_cpu(options.inject_ns);
    asio::const_buffer reply{buffer.data(), options.prefix.size() + size};
    if (options.ack > 0) reply = asio::buffer(owed.for_received(size, options));
    while (reply.size() > 0) {
      reply += stream.write_some(reply, error);
      if (error) return error;
    }
  }
  const auto reason = error;
  stream.flush(error);
  return reason;
}

}  // namespace

int main(int argc, char** argv) {
  return fibers::programs::run_server(argc, argv, {.name = "fibers_echo", .acknowledges = true},
                                      echo_handler);
}
