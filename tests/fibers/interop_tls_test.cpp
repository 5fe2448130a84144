// asio::ssl::stream works on tcp::stream unchanged.
#include <bench/tls/identity.hpp>

#include <boost/asio/ssl.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>

#include <tests/fibers/tcp_fixture.hpp>

namespace ssl = asio::ssl;

namespace {

struct tls_fixture : tcp_fixture {
  tls_fixture() {
    serving.use_certificate_chain(asio::buffer(self.certificate_pem));
    serving.use_private_key(asio::buffer(self.key_pem), ssl::context::pem);
    asking.set_verify_mode(ssl::verify_peer);
  }
  bench::tls::identity self;
  ssl::context serving{ssl::context::tls_server}, asking{ssl::context::tls_client};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(interop_tls, tls_fixture)

BOOST_AUTO_TEST_CASE(asio_encrypts_a_stream_from_handshake_to_shutdown) {
  asking.add_certificate_authority(asio::buffer(self.certificate_pem));
  const std::string said(100'000, 's');
  talk(
      [&](tcp::stream& server) {
        ssl::stream<tcp::stream> secure{std::move(server), serving};
        secure.handshake(ssl::stream_base::server);
        std::string heard(said.size(), '\0');
        asio::read(secure, asio::buffer(heard));
        asio::write(secure, asio::buffer(heard));
        error_code error;
        char byte = 0;
        secure.read_some(asio::buffer(&byte, 1), error);
        BOOST_TEST(error == asio::error::eof);  // the peer has sent close_notify
        secure.shutdown(error);
      },
      [&](tcp::stream& client) {
        ssl::stream<tcp::stream> secure{std::move(client), asking};
        secure.set_verify_callback(ssl::host_name_verification{"fibers.test"});
        secure.handshake(ssl::stream_base::client);
        asio::write(secure, asio::buffer(said));
        std::string heard(said.size(), '\0');
        asio::read(secure, asio::buffer(heard));
        BOOST_TEST((heard == said));
        error_code error;
        secure.shutdown(error);
        BOOST_TEST(!error);
      });
}

BOOST_AUTO_TEST_CASE(what_lies_below_tls_can_be_asked) {
  talk([&](tcp::stream& server) { server.close(); },
       [&](tcp::stream& client) {
         const auto peer = client.remote_endpoint();
         ssl::stream<tcp::stream> secure{std::move(client), asking};
         BOOST_TEST(secure.lowest_layer().remote_endpoint() == peer);
         BOOST_TEST(secure.lowest_layer().available() == 0u);
         asio::ip::tcp::no_delay option;
         secure.lowest_layer().get_option(option);
         const auto& unchanged = secure;
         BOOST_TEST(unchanged.lowest_layer().local_endpoint().port() != port);
       });
}

BOOST_AUTO_TEST_CASE(a_certificate_that_nobody_vouches_for_is_refused) {
  talk(
      [&](tcp::stream& server) {
        ssl::stream<tcp::stream> secure{std::move(server), serving};
        error_code error;
        secure.handshake(ssl::stream_base::server, error);
        BOOST_TEST(error);
      },
      [&](tcp::stream& client) {
        ssl::stream<tcp::stream> secure{std::move(client), asking};
        error_code error;
        secure.handshake(ssl::stream_base::client, error);
        BOOST_TEST((error.category() == asio::error::get_ssl_category()));
      });
}

BOOST_AUTO_TEST_SUITE_END()
