// callback style: a connection is a chain of completion handlers.
#include <asio_baseline/tcp_server.hpp>

namespace asio_baseline {
namespace {

void reply(connection& peer, asio::const_buffer unsent);

void echo_handler(connection& peer) {
  peer.async_receive([&peer](error_code error, std::size_t size) {
    if (error) return peer.server.finished(peer);
    reply(peer, peer.reply_to(size));
  });
}

void reply(connection& peer, asio::const_buffer unsent) {
  const auto outcome = peer.send_some(unsent);
  if (outcome == sending::done) return echo_handler(peer);
  if (outcome == sending::impossible) return peer.server.finished(peer);
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
