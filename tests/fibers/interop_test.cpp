// Boost.Beast, which is written for Asio's blocking streams, works on tcp::stream unchanged.
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

BOOST_AUTO_TEST_SUITE_END()
