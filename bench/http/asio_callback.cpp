// callback style: a connection is a chain of completion handlers.
#include <bench/http/asio_styles.hpp>
#include <bench/http/routes.hpp>

#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <memory>

namespace bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio_baseline::connection;
using asio_baseline::error_code;

class http_session {
 public:
  explicit http_session(connection& accepted) : peer_{accepted} {}

  void read() {
    asked_ = {};
    http::async_read(peer_.socket, exchange_.received, asked_,
                     [this](error_code error, std::size_t) {
                       if (error) return send_rest();
                       answer();
                     });
  }

 private:
  void answer() {
    peer_.count_message();
    exchange_.answer(asked_);
    if (!exchange_.is_due()) return read();
    asio::async_write(peer_.socket, exchange_.answers(),
                      [this](error_code error, std::size_t) { answered(error); });
  }

  void answered(error_code error) {
    peer_.has_moved();
    exchange_.sent();
    if (error || exchange_.is_last()) return finish();
    read();
  }

  // The answers to what came before an error.
  void send_rest() {
    asio::async_write(peer_.socket, exchange_.answers(),
                      [this](error_code, std::size_t) { finish(); });
  }

  void finish() {
    auto& peer = peer_;
    delete this;
    peer.server.finished(peer);
  }

  connection& peer_;
  http_exchange exchange_;
  http_request asked_;
};

}  // namespace

void start_http_callback(connection& accepted) {
  auto begun = std::make_unique<http_session>(accepted);
  begun->read();
  begun.release();  // finish() deletes it
}

}  // namespace bench
