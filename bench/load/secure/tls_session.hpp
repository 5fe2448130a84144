// tls_session: TLS of a client over a socket that somebody else owns, by OpenSSL.
//
//     tls_session secure{socket.get(), "example.org", "example.org:443"};
//     secure.send(bytes);        // begins with the handshake, so it may fail with EAGAIN for a
//     while
//
// The certificate of the server is not verified: this measures servers and trusts none.
#pragma once

#include <sys/types.h>

#include <memory>
#include <span>
#include <string>

struct ssl_st;  // OpenSSL's SSL

namespace bench {

class tls_session {
 public:
  // `host` is the name that the client asks for (SNI), unless it is empty or an IP address. `name`
  // stands in errors.
  tls_session(int socket, const std::string& host, std::string name);
  ~tls_session();
  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;

  // As ::send() and ::recv() on a non-blocking socket: a number of bytes, 0 at the end of the
  // stream, or -1 and errno. After EAGAIN, send() wants the same bytes again, and perhaps more.
  // What TLS does not accept throws: cannot_connect before the handshake has ended, and
  // connection_lost after that.
  ssize_t send(std::span<const char> bytes);
  ssize_t receive(std::span<char> into);

  // What has to be polled for after EAGAIN: POLLIN or POLLOUT. A handshake may read to send.
  short awaited() const { return awaited_; }

 private:
  struct freed {
    void operator()(ssl_st* session) const;
  };

  ssize_t result(int outcome);

  std::string name_;
  std::unique_ptr<ssl_st, freed> session_;
  short awaited_;
};

}  // namespace bench
