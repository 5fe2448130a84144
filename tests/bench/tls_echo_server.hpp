// tls_echo_server: an echo server under TLS, by Asio, on a thread of its own.
//
//     tls_echo_server server{"GOT:"};
//     server.port();
#pragma once

#include <bench/tls/identity.hpp>

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

class tls_echo_server {
 public:
  using change = std::function<void(std::string& reply)>;

  explicit tls_echo_server(
      std::string prefix = {}, change spoil = [](std::string&) {})
      : prefix_{std::move(prefix)}, spoil_{std::move(spoil)} {
    context_.use_certificate_chain(boost::asio::buffer(self_.certificate_pem));
    context_.use_private_key(boost::asio::buffer(self_.key_pem), ssl::context::pem);
    accept();
    thread_ = std::thread{[this] { loop_.run(); }};
  }
  ~tls_echo_server() {
    loop_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return listener_.local_endpoint().port(); }
  int handshakes() const { return handshakes_; }
  int goodbyes() const { return goodbyes_; }  // clients that ended as TLS wants it
  int asked_by_name() const { return asked_by_name_; }

 private:
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;
  struct ssl : boost::asio::ssl::context_base {
    using context = boost::asio::ssl::context;
    using stream = boost::asio::ssl::stream<tcp::socket>;
  };

  struct session : std::enable_shared_from_this<session> {
    session(tls_echo_server& owner, tcp::socket socket)
        : server{owner}, stream{std::move(socket), owner.context_} {}

    void start() {
      stream.async_handshake(ssl::stream::server, [self = shared_from_this()](error_code error) {
        if (error) return;
        ++self->server.handshakes_;
        const auto* name =
            SSL_get_servername(self->stream.native_handle(), TLSEXT_NAMETYPE_host_name);
        if (name != nullptr) ++self->server.asked_by_name_;
        self->read();
      });
    }

    void read() {
      stream.async_read_some(boost::asio::buffer(buffer), [self = shared_from_this()](
                                                              error_code error, std::size_t size) {
        if (error == boost::asio::error::eof) ++self->server.goodbyes_;
        if (error) return;
        self->reply = self->server.prefix_ + std::string(self->buffer.data(), size);
        self->server.spoil_(self->reply);
        self->write();
      });
    }

    void write() {
      boost::asio::async_write(stream, boost::asio::buffer(reply),
                               [self = shared_from_this()](error_code error, std::size_t) {
                                 if (!error) self->read();
                               });
    }

    tls_echo_server& server;
    ssl::stream stream;
    std::array<char, 5000> buffer{};
    std::string reply;
  };

  void accept() {
    listener_.async_accept([this](error_code error, tcp::socket socket) {
      if (error) return;
      socket.set_option(tcp::no_delay{true});
      std::make_shared<session>(*this, std::move(socket))->start();
      accept();
    });
  }

  bench::tls::identity self_;
  std::string prefix_;
  change spoil_;
  std::atomic<int> handshakes_{0}, goodbyes_{0}, asked_by_name_{0};
  ssl::context context_{ssl::context::tls_server};
  boost::asio::io_context loop_;
  tcp::acceptor listener_{loop_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};
