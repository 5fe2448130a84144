// coroutine style: a connection is a C++20 coroutine.
#include <bench/tls/asio_server.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/write.hpp>

#include <exception>
#include <utility>

namespace bench::tls {
namespace {

// As in asio_baseline/coroutine.cpp: no coroutine per operation, and errors are values.
constexpr auto result = asio::as_tuple(asio::deferred);
template <class Result>
using awaitable = asio::awaitable<Result, asio_baseline::executor>;

awaitable<void> echo_coroutine(connection& peer, secure_stream stream) {
  if (const auto [error] = co_await stream.async_handshake(secure_stream::server, result); error)
    co_return;
  for (;;) {
    peer.has_moved();
    const auto [error, size] = co_await peer.async_receive(stream, result);
    if (can_say_goodbye(stream, error)) co_await stream.async_shutdown(result);
    if (error) co_return;
    const auto [failed, sent] = co_await asio::async_write(stream, peer.reply_to(size), result);
    if (failed) co_return;
  }
}

}  // namespace

void start_coroutine(connection& accepted) {
  asio::co_spawn(accepted.server.get_executor(),
                 echo_coroutine(accepted, secure_stream{accepted.socket, server_context()}),
                 [&accepted](std::exception_ptr) { accepted.server.finished(accepted); });
}

}  // namespace bench::tls
