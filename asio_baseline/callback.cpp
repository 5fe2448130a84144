// callback style: a connection is a chain of completion handlers.
#include <asio_baseline/tcp_server.hpp>

#include <boost/asio/defer.hpp>

namespace asio_baseline {
namespace {

void reply(connection& peer, asio::const_buffer unsent);

void echo_handler(connection& peer) {
  peer.socket.async_read_some(peer.room, [&peer](error_code error, std::size_t size) {
    if (error) return peer.server.finished(peer);
    reply(peer, peer.reply_to(size));
  });
}

void take_turn(connection& peer) {
  if (!peer.server.has_others()) return echo_handler(peer);
  asio::defer(peer.server.get_executor(), [&peer] { echo_handler(peer); });
}

void reply(connection& peer, asio::const_buffer unsent) {
  if (peer.send_some(unsent)) return take_turn(peer);
  peer.socket.async_wait(stream_socket::wait_write, [&peer, unsent](error_code error) {
    if (error) return peer.server.finished(peer);
    reply(peer, unsent);
  });
}

}  // namespace

void start_callback(connection& accepted) {
  echo_handler(accepted);
}

}  // namespace asio_baseline
