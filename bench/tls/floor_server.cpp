// floor_tls: the echo server under TLS with nothing between OpenSSL and the system calls. Asio
// holds the settings, so that they are those of the others, and does nothing else.
#include <bench/floor/run_server.hpp>
#include <bench/tls/server_context.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

// As much as one record of TLS, where clients send large ones.
constexpr std::size_t usual_receive = 4096, large_receive = 17408;
// What a handshake sends and two session tickets, and what each record has around its bytes.
constexpr std::size_t most_of_handshake = 8192, around_record = 64, shortest_record = 20,
                      most_of_record = 16384;

class tls_service : public bench::floor_service {
 public:
  explicit tls_service(const bench::server_options& options)
      : options_{options}, reply_{options.prefix + std::string(options.buffer, '\0')} {}

  bench::floor_answer answer(int fd, std::string_view received) override {
    auto& peer = session_of(fd);
    if (peer.secure == nullptr) peer = new_session();
    BIO_write(peer.in, received.data(), static_cast<int>(received.size()));
    ERR_clear_error();
    const bool goes_on = echo(peer.secure.get());
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(peer.out, &bytes);
    answers_.assign(bytes, static_cast<std::size_t>(size));
    BIO_reset(peer.out);
    return {answers_, !goes_on};
  }

  // A record whose end comes now may have begun before. A read takes no more than a record, and is
  // answered by the prefix and its bytes, in as many records as they need.
  std::size_t most_answer(std::size_t received) const override {
    const auto bytes = received + most_of_record;
    const auto reads =
        bytes / std::min(options_.buffer, most_of_record) + received / shortest_record + 2;
    const auto records = 2 + options_.prefix.size() / most_of_record;
    return most_of_handshake + bytes + reads * (options_.prefix.size() + records * around_record);
  }

  void forget(int fd) override { session_of(fd) = {}; }

 private:
  struct freed {
    void operator()(SSL* session) const { SSL_free(session); }
  };
  struct session {
    std::unique_ptr<SSL, freed> secure;
    BIO* in = nullptr;  // both belong to `secure`
    BIO* out = nullptr;
  };

  static session new_session() {
    session made{std::unique_ptr<SSL, freed>{SSL_new(bench::tls::server_context().native_handle())},
                 BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())};
    if (made.secure == nullptr || made.in == nullptr || made.out == nullptr) throw std::bad_alloc{};
    SSL_set_bio(made.secure.get(), made.in, made.out);
    SSL_set_mode(made.secure.get(), SSL_MODE_RELEASE_BUFFERS);  // as asio::ssl::stream
    SSL_set_accept_state(made.secure.get());
    return made;
  }

  session& session_of(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (sessions_.size() <= index) sessions_.resize(index + 1);
    return sessions_[index];
  }

  // Reads what there is and writes the replies. False: it is no TLS, or the client has gone.
  bool echo(SSL* secure) {
    const auto prefix = options_.prefix.size();
    for (;;) {
      const int size = SSL_read(secure, reply_.data() + prefix, static_cast<int>(options_.buffer));
      if (size > 0) {
        if (options_.inject_ns.count() > 0) bench::spend_cpu(options_.inject_ns);
        SSL_write(secure, reply_.data(), static_cast<int>(prefix) + size);
        continue;
      }
      switch (SSL_get_error(secure, size)) {
        case SSL_ERROR_WANT_READ:
          return true;
        case SSL_ERROR_ZERO_RETURN:
          SSL_shutdown(secure);  // says close_notify, too
          return false;
        default:
          return false;
      }
    }
  }

  const bench::server_options& options_;
  std::string reply_;              // the prefix, and room for one read
  std::string answers_;            // of all connections in turn
  std::vector<session> sessions_;  // index: descriptor
};

}  // namespace

int main(int argc, char** argv) {
  bench::tls::server_context();
  return bench::run_floor(
      argc, argv, {.name = "floor_tls", .purpose = bench::tls::purpose},
      [](const bench::server_options& options) -> std::unique_ptr<bench::floor_service> {
        return std::make_unique<tls_service>(options);
      },
      [](const bench::server_options& options) {
        return options.buffer > usual_receive ? large_receive : usual_receive;
      });
}
