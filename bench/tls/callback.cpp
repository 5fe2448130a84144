// callback style: a connection is a chain of completion handlers.
#include <bench/tls/asio_server.hpp>

#include <boost/asio/write.hpp>

#include <memory>

namespace bench::tls {
namespace {

class session {
 public:
  explicit session(connection& peer) : peer_{peer}, stream_{peer.socket, server_context()} {}

  void start() {
    stream_.async_handshake(secure_stream::server, [this](error_code error) {
      if (error) return finish();
      peer_.has_moved();
      echo_handler();
    });
  }

 private:
  void echo_handler() {
    peer_.async_receive(stream_, [this](error_code error, std::size_t size) {
      if (can_say_goodbye(stream_, error)) return say_goodbye();
      if (error) return finish();
      reply(size);
    });
  }

  void reply(std::size_t size) {
    asio::async_write(stream_, peer_.reply_to(size), [this](error_code error, std::size_t) {
      if (error) return finish();
      peer_.has_moved();
      echo_handler();
    });
  }

  void say_goodbye() {
    stream_.async_shutdown([this](error_code) { finish(); });
  }

  void finish() {
    auto& peer = peer_;
    delete this;
    peer.server.finished(peer);
  }

  connection& peer_;
  secure_stream stream_;
};

}  // namespace

void start_callback(connection& accepted) {
  auto begun = std::make_unique<session>(accepted);
  begun->start();
  begun.release();  // finish() deletes it
}

}  // namespace bench::tls
