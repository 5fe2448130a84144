// fibers_http: the HTTP server by Boost.Beast, one fiber per connection.
#include <bench/http/routes.hpp>
#include <fibers/programs/tcp_server.hpp>

#include <boost/beast/http/read.hpp>

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace http = boost::beast::http;
using fibers::error_code;

error_code serve_http(const bench::server_options& options, fibers::stream_socket& stream) {
  if (options.idle_timeout > 0ns) stream.expires_when_idle(options.idle_timeout);
  bench::http_exchange exchange;
  error_code error;
  while (!exchange.is_last()) {
    bench::http_request asked;
    http::read(stream, exchange.received, asked, error);
    if (error) break;  // after what was answered before
    if (options.inject_ns > 0ns) bench::spend_cpu(options.inject_ns);
    exchange.answer(asked);
    if (!exchange.is_due()) continue;
    asio::write(stream, exchange.answers(), error);
    if (error) break;
    exchange.sent();
  }
  error_code ignored;
  asio::write(stream, exchange.answers(), ignored);
  stream.flush(ignored);
  return error;
}

}  // namespace

int main(int argc, char** argv) {
  return fibers::programs::run_server(
      argc, argv, {.name = "fibers_http", .echoes = false, .purpose = bench::http_purpose},
      serve_http);
}
