#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <bench/load/secure/tls_session.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace bench {
namespace {

// OpenSSL's own BIO of a socket calls write(), which ends a process whose peer has gone: SIGPIPE.
int socket_below(BIO* below) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(below)));
}

int send_below(BIO* below, const char* bytes, int size) {
  BIO_clear_retry_flags(below);
  const auto count = ::send(socket_below(below), bytes, static_cast<std::size_t>(size),
                            MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(below);
  return static_cast<int>(count);
}

int receive_below(BIO* below, char* into, int size) {
  BIO_clear_retry_flags(below);
  const auto count =
      ::recv(socket_below(below), into, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(below);
  return static_cast<int>(count);
}

long control_below(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* methods_below() {
  static const BIO_METHOD* const made = [] {
    auto* methods = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_write(methods, send_below);
    BIO_meth_set_read(methods, receive_below);
    BIO_meth_set_ctrl(methods, control_below);
    return methods;
  }();
  return made;
}

// A message is composed anew whenever it is sent, so it lies elsewhere each time.
SSL_CTX* client_context() {
  static SSL_CTX* const made = [] {
    auto* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
  }();
  return made;
}

bool is_name(const std::string& host) {
  in6_addr ignored{};
  return !host.empty() && inet_pton(AF_INET, host.c_str(), &ignored) != 1 &&
         inet_pton(AF_INET6, host.c_str(), &ignored) != 1;
}

std::string reason_of(unsigned long error) {
  const auto* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "an error without a name";
}

}  // namespace

void tls_session::freed::operator()(ssl_st* session) const {
  SSL_free(session);
}

tls_session::tls_session(int socket, const std::string& host, std::string name)
    : name_{std::move(name)}, session_{SSL_new(client_context())}, awaited_{POLLOUT} {
  auto* below = session_ ? BIO_new(methods_below()) : nullptr;
  if (below == nullptr) throw run_invalid(name_ + ": OpenSSL cannot begin a session");
  BIO_set_data(below, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(below, 1);
  SSL_set_bio(session_.get(), below, below);
  SSL_set_connect_state(session_.get());
  if (is_name(host)) SSL_set_tlsext_host_name(session_.get(), host.c_str());
}

// Says goodbye, so that the server does not take the end for an attack.
tls_session::~tls_session() {
  if (SSL_is_init_finished(session_.get()) != 0) SSL_shutdown(session_.get());
  ERR_clear_error();
}

ssize_t tls_session::send(std::span<const char> bytes) {
  ERR_clear_error();
  errno = 0;
  return result(SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size())));
}

ssize_t tls_session::receive(std::span<char> into) {
  ERR_clear_error();
  errno = 0;
  return result(SSL_read(session_.get(), into.data(), static_cast<int>(into.size())));
}

ssize_t tls_session::result(int outcome) {
  if (outcome > 0) return outcome;
  switch (SSL_get_error(session_.get(), outcome)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      awaited_ = SSL_want_read(session_.get()) != 0 ? POLLIN : POLLOUT;
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_SYSCALL:
      return errno == 0 ? 0 : -1;
    default:
      break;
  }
  const auto error = ERR_get_error();
  if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return 0;
  const auto reason = reason_of(error);
  if (SSL_is_init_finished(session_.get()) == 0)
    throw cannot_connect(fmt::format("{}: no TLS handshake: {}", name_, reason));
  throw connection_lost(fmt::format("{}: TLS: {}", name_, reason));
}

}  // namespace bench
