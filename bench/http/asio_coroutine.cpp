// coroutine style: a connection is a C++20 coroutine.
#include <bench/http/asio_styles.hpp>
#include <bench/http/routes.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <exception>

namespace bench {
namespace {

namespace asio = boost::asio;
using asio_baseline::connection;

// See asio_baseline/coroutine.cpp.
constexpr auto as_result = asio::as_tuple(asio::deferred);

asio::awaitable<void, asio_baseline::executor> serve_http(connection& peer) {
  namespace http = boost::beast::http;
  http_exchange exchange;
  while (!exchange.is_last()) {
    http_request asked;
    const auto [failed, read] =
        co_await http::async_read(peer.socket, exchange.received, asked, as_result);
    if (failed) break;
    peer.count_message();
    exchange.answer(asked);
    if (!exchange.is_due()) continue;
    const auto [broken, written] =
        co_await asio::async_write(peer.socket, exchange.answers(), as_result);
    if (broken) co_return;
    peer.has_moved();
    exchange.sent();
  }
  co_await asio::async_write(peer.socket, exchange.answers(), as_result);  // those before an error
}

}  // namespace

void start_http_coroutine(connection& accepted) {
  asio::co_spawn(accepted.server.get_executor(), serve_http(accepted),
                 [&accepted](std::exception_ptr) { accepted.server.finished(accepted); });
}

}  // namespace bench
