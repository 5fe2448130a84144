// spawn style: a connection is a stackful coroutine of asio::spawn, on Boost.Context.
//
// Boost 1.81 does not switch the exception state along with the stack. So no operation here waits
// inside a catch block, and errors are values.
#include <asio_baseline/tcp_server.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/spawn.hpp>

namespace asio_baseline {
namespace {

using yield_context = asio::basic_yield_context<executor>;

void echo_handler(connection& peer, yield_context yield) {
  error_code error;
  for (;;) {
    const auto size = peer.async_receive(yield[error]);
    if (error) break;
    auto unsent = peer.reply_to(size);
    auto outcome = peer.send_some(unsent);
    for (; outcome == sending::must_wait; outcome = peer.send_some(unsent)) {
      peer.socket.async_wait(stream_socket::wait_write, yield[error]);
    }
    if (outcome == sending::impossible) break;
  }
  peer.server.finished(peer);
}

}  // namespace

void start_spawn(connection& accepted) {
  asio::spawn(
      accepted.server.get_executor(),
      [&accepted](yield_context yield) { echo_handler(accepted, yield); }, asio::detached);
}

}  // namespace asio_baseline
