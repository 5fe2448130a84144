// tls_client: one connection under TLS to a server under test.
//
//     tls_client client{server.port()};
//     client.send("hello");
//     client.receive(9)            // "GOT:hello"
//
// Whatever does not happen in time throws std::runtime_error.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

class tls_client {
 public:
  // How the server has ended the stream; `silent` means without close_notify.
  enum class ending { none, polite, silent };

  // Connects and makes the handshake.
  explicit tls_client(int port);
  ~tls_client();
  tls_client(tls_client&& other) noexcept;
  tls_client& operator=(tls_client&&) = delete;

  void send(std::string_view bytes);             // in records of at most 16 KiB
  std::string receive(std::size_t bytes);        // so many, or fewer at the end
  std::string receive_all();                     // until the end
  std::string exchange(std::string_view bytes);  // sends while it receives as many bytes
  std::size_t send_until_stuck(
      std::string_view bytes);                     // until it is closed, or stuck for half a second
  void send_in_the_clear(std::string_view bytes);  // past TLS
  void say_goodbye();                              // close_notify
  void end_without_goodbye();                      // shutdown(SHUT_WR)
  void reset();                                    // closes with a RST

  ending how_it_ended() const { return ended_; }
  bool is_closed();  // after a polite end, the server closes the connection, too
  std::string version() const { return SSL_get_version(session_.get()); }

  // What a client says first in a handshake.
  static std::string hello();

 private:
  struct freed {
    void operator()(SSL* session) const { SSL_free(session); }
  };

  // Waits until a call that returned `outcome` may be repeated. False: the stream has ended.
  bool may_go_on(int outcome);
  bool read_some(std::string& into);  // false at the end

  std::unique_ptr<SSL, freed> session_;
  int socket_;
  ending ended_ = ending::none;
};
