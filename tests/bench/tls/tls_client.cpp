#include <tests/bench/tls/tls_client.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <tests/bench/contract/raw_connection.hpp>
#include <tests/bench/contract/server_process.hpp>

namespace {

// OpenSSL's BIO of a socket calls write(), which raises SIGPIPE when the server has gone.
SSL_CTX* client_context() {
  static SSL_CTX* const made = [] {
    std::signal(SIGPIPE, SIG_IGN);
    auto* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
  }();
  return made;
}

bool comes(int socket, short events, milliseconds limit = patience) {
  pollfd waiting{.fd = socket, .events = events, .revents = 0};
  return poll(&waiting, 1, static_cast<int>(limit.count())) > 0;
}

}  // namespace

tls_client::tls_client(int port) : session_{SSL_new(client_context())} {
  socket_ = raw_connection(port);
  SSL_set_fd(session_.get(), socket_);
  for (int outcome = 0; outcome != 1;) {
    ERR_clear_error();
    outcome = SSL_connect(session_.get());
    if (outcome == 1 || may_go_on(outcome)) continue;
    close(std::exchange(socket_, -1));
    throw std::runtime_error{"the server ends the handshake"};
  }
}

tls_client::~tls_client() {
  session_.reset();
  if (socket_ >= 0) close(socket_);
}

tls_client::tls_client(tls_client&& other) noexcept
    : session_{std::move(other.session_)},
      socket_{std::exchange(other.socket_, -1)},
      ended_{other.ended_} {}

bool tls_client::may_go_on(int outcome) {
  const int reason = SSL_get_error(session_.get(), outcome);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
    if (comes(socket_, reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return true;
    throw std::runtime_error{"the server does not go on"};
  }
  ended_ = reason == SSL_ERROR_ZERO_RETURN ? ending::polite : ending::silent;
  return false;
}

void tls_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const int sent = SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (!may_go_on(sent)) {
      throw std::runtime_error{"the server has gone"};
    }
  }
}

bool tls_client::read_some(std::string& into) {
  std::array<char, 16384> room;
  for (;;) {
    ERR_clear_error();
    const int size = SSL_read(session_.get(), room.data(), static_cast<int>(room.size()));
    if (size > 0) return into.append(room.data(), static_cast<std::size_t>(size)), true;
    if (!may_go_on(size)) return false;
  }
}

std::string tls_client::receive(std::size_t bytes) {
  std::string received;
  while (received.size() < bytes && read_some(received)) {
  }
  return received;
}

std::string tls_client::receive_all() {
  std::string received;
  while (read_some(received)) {
  }
  return received;
}

std::string tls_client::exchange(std::string_view bytes) {
  std::string received;
  const auto expected = bytes.size();
  while (received.size() < expected) {
    ERR_clear_error();
    const int sent =
        bytes.empty() ? 0 : SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (sent > 0 && !comes(socket_, POLLIN, milliseconds{0})) continue;
    if (!read_some(received)) break;
  }
  return received;
}

std::size_t tls_client::send_until_stuck(std::string_view bytes) {
  std::size_t all = 0;
  while (all < bytes.size()) {
    ERR_clear_error();
    const auto left = bytes.substr(all);
    const int sent = SSL_write(session_.get(), left.data(), static_cast<int>(left.size()));
    if (sent > 0) {
      all += static_cast<std::size_t>(sent);
    } else if (SSL_get_error(session_.get(), sent) != SSL_ERROR_WANT_WRITE ||
               !comes(socket_, POLLOUT, milliseconds{500})) {
      break;
    }
  }
  return all;
}

void tls_client::send_in_the_clear(std::string_view bytes) {
  ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void tls_client::say_goodbye() {
  ERR_clear_error();
  SSL_shutdown(session_.get());
}

void tls_client::end_without_goodbye() {
  shutdown(socket_, SHUT_WR);
}

void tls_client::reset() {
  reset_connection(std::exchange(socket_, -1));
}

bool tls_client::is_closed() {
  char byte = 0;
  return comes(socket_, POLLIN) && recv(socket_, &byte, 1, 0) <= 0;
}

std::string tls_client::hello() {
  const std::unique_ptr<SSL, freed> session{SSL_new(client_context())};
  SSL_set_bio(session.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_connect(session.get());
  char* said = nullptr;
  const auto size = BIO_get_mem_data(SSL_get_wbio(session.get()), &said);
  ERR_clear_error();
  return {said, static_cast<std::size_t>(size)};
}
