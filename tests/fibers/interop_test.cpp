// Boost.Beast and asio::buffered_read_stream, which are written for Asio's blocking streams, work
// on tcp::stream unchanged.
#include <boost/asio/buffered_read_stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>

#include <tests/fibers/tcp_fixture.hpp>

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;

BOOST_FIXTURE_TEST_SUITE(interop, tcp_fixture)

BOOST_AUTO_TEST_CASE(beast_serves_and_asks_http) {
  const std::string body(100'000, 'b');
  talk(
      [&](tcp::stream& server) {
        beast::flat_buffer buffer;
        for (error_code error;;) {
          http::request<http::string_body> request;
          http::read(server, buffer, request, error);
          if (error == http::error::end_of_stream) break;
          BOOST_REQUIRE(!error);
          http::response<http::string_body> response{http::status::ok, request.version()};
          response.body() = "you asked for " + std::string{request.target()} + body;
          response.keep_alive(request.keep_alive());
          response.prepare_payload();
          http::write(server, response);
        }
      },
      [&](tcp::stream& client) {
        beast::flat_buffer buffer;
        for (const std::string target : {"/one", "/two"}) {
          http::request<http::empty_body> request{http::verb::get, target, 11};
          request.set(http::field::host, "127.0.0.1");
          http::write(client, request);
          http::response<http::string_body> response;
          http::read(client, buffer, response);
          BOOST_TEST(response.result_int() == 200U);
          BOOST_TEST((response.body() == "you asked for " + target + body));
        }
      });
}

BOOST_AUTO_TEST_CASE(beast_speaks_websocket_from_handshake_to_close) {
  const std::string large(200'000, 'w');
  talk(
      [](tcp::stream& server) {
        websocket::stream<tcp::stream> socket{std::move(server)};
        socket.accept();
        for (error_code error;;) {
          beast::flat_buffer message;
          socket.read(message, error);
          if (error == websocket::error::closed) break;
          BOOST_REQUIRE(!error);
          socket.text(socket.got_text());
          socket.write(message.data());
        }
        BOOST_TEST(socket.reason().code == websocket::close_code::normal);
        BOOST_TEST(!socket.next_layer().is_open());
      },
      [&](tcp::stream& client) {
        websocket::stream<tcp::stream> socket{std::move(client)};
        socket.handshake("127.0.0.1", "/");
        for (const auto& said : {std::string{"hello"}, large}) {
          socket.write(asio::buffer(said));
          beast::flat_buffer echoed;
          socket.read(echoed);
          BOOST_TEST((beast::buffers_to_string(echoed.data()) == said));
        }
        socket.close(websocket::close_code::normal);
        BOOST_TEST(!socket.next_layer().is_open());
      });
}

BOOST_AUTO_TEST_CASE(a_teardown_of_a_connection_that_is_reset_says_so) {
  scheduler.spawn([] {
    tcp_pair peers;
    auto stream = tcp::stream::from_descriptor(::dup(peers.near.get()));
    peers.near = descriptor{};
    reset(peers.far);
    error_code error;
    tcp::teardown(beast::role_type::client, stream, error);
    BOOST_TEST(error == asio::error::connection_reset);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(asio_reads_many_fields_out_of_a_buffer) {
  struct pair {
    std::uint16_t key;
    std::uint32_t value;
  };
  constexpr int pairs = 10'000;
  talk(
      [](tcp::stream& server) {
        asio::buffered_read_stream<tcp::stream&> buffered{server, 8192};
        int wrong = 0;
        for (std::uint32_t i = 0; i < pairs; ++i) {
          pair got{};
          asio::read(buffered, asio::buffer(&got.key, sizeof got.key));
          asio::read(buffered, asio::buffer(&got.value, sizeof got.value));
          wrong += got.key != i % 1000 || got.value != i;
        }
        BOOST_TEST(wrong == 0);
        error_code error;
        char beyond = 0;
        BOOST_TEST(asio::read(buffered, asio::buffer(&beyond, 1), error) == 0U);
        BOOST_TEST(error == asio::error::eof);
      },
      [](tcp::stream& client) {
        std::string all;
        for (std::uint32_t i = 0; i < pairs; ++i) {
          const pair sent{static_cast<std::uint16_t>(i % 1000), i};
          all.append(reinterpret_cast<const char*>(&sent.key), sizeof sent.key);
          all.append(reinterpret_cast<const char*>(&sent.value), sizeof sent.value);
        }
        asio::write(client, asio::buffer(all));
      });
}

BOOST_AUTO_TEST_CASE(a_deadline_leaves_what_was_buffered) {
  talk(
      [](tcp::stream& server) {
        asio::buffered_read_stream<tcp::stream&> buffered{server, 8192};
        std::string heard(3, '\0');
        asio::read(buffered, asio::buffer(heard));
        BOOST_TEST(heard == "abc");
        server.expires_after(std::chrono::milliseconds{5});
        error_code error;
        std::string more(4, '\0');
        BOOST_TEST(asio::read(buffered, asio::buffer(more), error) == 3U);
        BOOST_TEST(error == asio::error::timed_out);
        BOOST_TEST(more.substr(0, 3) == "def");
        server.expires_never();
        asio::write(server, asio::buffer("!", 1));
      },
      [](tcp::stream& client) {
        asio::write(client, asio::buffer("abcdef", 6));
        char end = 0;
        asio::read(client, asio::buffer(&end, 1));
      });
}

BOOST_AUTO_TEST_SUITE_END()
