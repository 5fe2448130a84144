// coroutine style: a connection is a C++20 coroutine.
#include <asio_baseline/tcp_server.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>

namespace asio_baseline {
namespace {

// With asio::deferred an awaited operation needs no coroutine of its own, as it does with
// use_awaitable. With as_tuple errors are values, so the end of a connection throws no exception.
constexpr auto result = asio::as_tuple(asio::deferred);

asio::awaitable<void, executor> echo_coroutine(connection& peer) {
  for (;;) {
    const auto [error, size] = co_await peer.async_receive(result);
    if (error) break;
    auto unsent = peer.reply_to(size);
    auto outcome = peer.send_some(unsent);
    for (; outcome == sending::must_wait; outcome = peer.send_some(unsent)) {
      co_await peer.socket.async_wait(stream_socket::wait_write, result);
    }
    if (outcome == sending::impossible) break;
  }
  peer.server.finished(peer);
}

}  // namespace

void start_coroutine(connection& accepted) {
  asio::co_spawn(accepted.server.get_executor(), echo_coroutine(accepted), asio::detached);
}

}  // namespace asio_baseline
