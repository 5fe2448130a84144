// How much stack common work needs. docs/library.md recommends sizes by what this prints:
//
//     build/release/bin/stack_need_test --log_level=message
//
// It is compiled with the optimisation of users. The figures are whole pages.
#include <netdb.h>
#include <sys/mman.h>

#include <fibers/scheduler.hpp>
#include <fibers/tcp.hpp>

#include <algorithm>
#include <array>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <bench/tls/identity.hpp>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
namespace tcp = fibers::tcp;

namespace {

struct needs {
  std::size_t server;
  std::size_t client;
};

// From the lowest page that was touched to the top, as in docs/library.md.
std::size_t bytes_touched(const fibers::stack& memory) {
  constexpr std::size_t page = 4096;
  auto* const lowest = memory.bottom() - reinterpret_cast<std::uintptr_t>(memory.bottom()) % page;
  std::vector<unsigned char> pages(static_cast<std::size_t>(memory.top() - lowest) / page + 1);
  BOOST_REQUIRE(::mincore(lowest, pages.size() * page, pages.data()) == 0);
  const auto touched = std::ranges::find_if(pages, [](auto state) { return (state & 1) != 0; });
  return static_cast<std::size_t>(pages.end() - touched) * page;
}

// Runs both over one connection, on stacks that no fiber has touched, and says how many bytes of
// them they touched.
template <class Server, class Client>
needs needs_of(Server server, Client client) {
  static std::size_t size = std::size_t{256} * 1024;
  size += 4096;  // another pool than that of the last call
  fibers::scheduler scheduler{{.stack_size = size}};
  tcp::listener listener{"127.0.0.1", 0};
  const auto port = listener.local_endpoint().port();
  auto serving = scheduler.spawn("server", [&] { server(listener.accept()); });
  auto asking = scheduler.spawn("client", [&] { client(tcp::connect("127.0.0.1", port)); });
  scheduler.run();
  const needs found{bytes_touched(serving.record().memory()),
                    bytes_touched(asking.record().memory())};
  serving.join();  // throws what has gone wrong
  asking.join();
  return found;
}

template <class Body>
std::size_t need_of(Body body) {
  return needs_of([&](tcp::stream) { body(); }, [](tcp::stream) {}).server;
}

// Fails if less than half of the recommended stack size is left.
void check(std::string_view what, std::size_t need, std::size_t recommended) {
  BOOST_TEST_MESSAGE(what << ": " << need / 1024 << " KiB");
  BOOST_TEST(need >= 4096u);
  BOOST_TEST(2 * need <= recommended);
}
constexpr std::size_t for_bytes = fibers::smallest_stack_size;
constexpr std::size_t for_protocols = std::size_t{32} * 1024;
static_assert(fibers::default_stack_size >= 2 * for_protocols);

}  // namespace

BOOST_AUTO_TEST_SUITE(stack_need)

BOOST_AUTO_TEST_CASE(an_echo_needs_half_of_the_smallest_stack_at_most) {
  const auto found = needs_of(
      [](tcp::stream stream) {
        std::array<char, 1000> buffer;
        fibers::error_code error;
        while (const auto size = stream.read_some(asio::buffer(buffer), error)) {
          asio::write(stream, asio::buffer(buffer, size), error);
          if (error) break;
        }
      },
      [](tcp::stream stream) {
        std::array<char, 1000> buffer{};
        asio::write(stream, asio::buffer(buffer));
        asio::read(stream, asio::buffer(buffer));
      });
  check("an echo, with a buffer of 1,000 bytes", found.server, for_bytes);
}

BOOST_AUTO_TEST_CASE(an_exception_needs_half_of_the_smallest_stack_at_most) {
  const auto need = need_of([] {
    try {
      throw std::runtime_error{"caught"};
    } catch (const std::runtime_error&) {
    }
  });
  check("an exception, thrown and caught", need, for_bytes);
}

BOOST_AUTO_TEST_CASE(http_needs_half_of_32_kib_at_most) {
  const auto found = needs_of(
      [](tcp::stream stream) {
        beast::flat_buffer buffer;
        http::request<http::string_body> request;
        http::read(stream, buffer, request);
        http::response<http::string_body> response{http::status::ok, request.version()};
        response.set(http::field::content_type, "text/plain");
        response.body() = "you asked for " + std::string{request.target()};
        response.prepare_payload();
        http::write(stream, response);
      },
      [](tcp::stream stream) {
        http::request<http::string_body> request{http::verb::post, "/", 11, "question"};
        request.set(http::field::host, "127.0.0.1");
        request.prepare_payload();
        http::write(stream, request);
        beast::flat_buffer buffer;
        http::response<http::string_body> response;
        http::read(stream, buffer, response);
        BOOST_TEST(response.result_int() == 200u);
      });
  check("a request of HTTP, Boost.Beast, server", found.server, for_protocols);
  check("a request of HTTP, Boost.Beast, client", found.client, for_protocols);
}

BOOST_AUTO_TEST_CASE(tls_needs_half_of_32_kib_at_most) {
  const bench::tls::identity self;
  ssl::context serving{ssl::context::tls_server};
  ssl::context asking{ssl::context::tls_client};
  serving.use_certificate_chain(asio::buffer(self.certificate_pem));
  serving.use_private_key(asio::buffer(self.key_pem), ssl::context::pem);
  asking.set_verify_mode(ssl::verify_peer);
  asking.add_certificate_authority(asio::buffer(self.certificate_pem));
  const auto found = needs_of(
      [&](tcp::stream stream) {
        ssl::stream<tcp::stream> secure{std::move(stream), serving};
        secure.handshake(ssl::stream_base::server);
        std::array<char, 1000> buffer;
        asio::write(secure, asio::buffer(buffer, secure.read_some(asio::buffer(buffer))));
      },
      [&](tcp::stream stream) {
        ssl::stream<tcp::stream> secure{std::move(stream), asking};
        secure.set_verify_callback(ssl::host_name_verification{"fibers.test"});
        secure.handshake(ssl::stream_base::client);
        std::array<char, 1000> buffer{};
        asio::write(secure, asio::buffer(buffer));
        secure.read_some(asio::buffer(buffer));
      });
  check("a TLS handshake, OpenSSL, server", found.server, for_protocols);
  check("a TLS handshake, OpenSSL, client", found.client, for_protocols);
}

BOOST_AUTO_TEST_CASE(to_look_up_a_name_needs_half_of_32_kib_at_most) {
  ::setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);  // where no name server answers
  for (const std::string name : {"localhost", "no-such-name.invalid"}) {
    const auto need = need_of([&] {
      addrinfo* found = nullptr;
      if (::getaddrinfo(name.c_str(), "80", nullptr, &found) == 0) ::freeaddrinfo(found);
    });
    check("getaddrinfo(\"" + name + "\")", need, for_protocols);
  }
}

BOOST_AUTO_TEST_SUITE_END()
