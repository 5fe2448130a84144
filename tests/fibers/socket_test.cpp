// Queries of sockets, and the overloads that set an error_code instead of throwing.
#include <fibers/local.hpp>

#include <array>
#include <boost/asio/ip/unicast.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

#include <tests/fibers/tcp_fixture.hpp>

namespace local = fibers::local;

BOOST_FIXTURE_TEST_SUITE(asking, tcp_fixture)

BOOST_AUTO_TEST_CASE(an_option_that_was_set_is_read_again) {
  scheduler.spawn([&] {
    listener.set_option(asio::ip::unicast::hops{7});
    asio::ip::unicast::hops hops;
    listener.get_option(hops);
    BOOST_TEST(hops.value() == 7);
    tcp::stream closed;
    error_code error;
    closed.get_option(hops, error);
    BOOST_TEST(error == asio::error::bad_descriptor);
    BOOST_CHECK_THROW(closed.get_option(hops), boost::system::system_error);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(available_counts_what_came_wherever_it_is) {
  talk(
      [](tcp::stream& server) {
        write(server, std::string(5'000, 'x'));
        read_exactly(server, 1);
      },
      [](tcp::stream& client) {
        read_exactly(client, 1);
        for (int i = 0; client.available() < 4'999 && i < 1'000; ++i) this_fiber::sleep_for(1ms);
        BOOST_TEST(client.available() == 4'999U);
        read_exactly(client, 3'000);
        BOOST_TEST(client.available() == 1'999U);
        read_exactly(client, 1'999);
        BOOST_TEST(client.available() == 0U);
        write(client, "x");
        client.close();
        error_code error;
        BOOST_TEST(client.available(error) == 0U);
        BOOST_TEST(error == asio::error::bad_descriptor);
        BOOST_CHECK_THROW(client.available(), boost::system::system_error);
      });
}

BOOST_AUTO_TEST_CASE(accept_tells_where_the_peer_is) {
  scheduler.spawn([&] {
    const auto client = tcp::connect("127.0.0.1", port);
    tcp::endpoint peer;
    const auto server = listener.accept(peer);
    BOOST_TEST((peer == client.local_endpoint()));
    listener.expires_after(0ms);
    error_code error;
    listener.accept(peer, error);
    BOOST_TEST(error == asio::error::timed_out);
    BOOST_TEST((peer == client.local_endpoint()));
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(connecting_may_set_a_code) {
  scheduler.spawn([&] {
    error_code error = asio::error::eof;
    BOOST_TEST(tcp::connect("127.0.0.1", port, error).is_open());
    BOOST_TEST(!error);
    BOOST_TEST(tcp::connect_for("127.0.0.1", port, 1h, error).is_open());
    BOOST_TEST(!error);
    const bound_socket nobody;
    BOOST_TEST(!tcp::connect("127.0.0.1", nobody.port, error).is_open());
    BOOST_TEST(error == asio::error::connection_refused);
    BOOST_TEST(!tcp::connect_for("no.such.host.invalid", 1, 1h, error).is_open());
    BOOST_TEST((error.category() == asio::error::get_addrinfo_category()));
    BOOST_TEST(!local::connect("/no/such/path", error).is_open());
    BOOST_TEST(error == boost::system::errc::no_such_file_or_directory);
    BOOST_TEST(!local::connect_for("/no/such/path", 1h, error).is_open());
    BOOST_TEST(error == boost::system::errc::no_such_file_or_directory);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(listening_may_set_a_code) {
  scheduler.spawn([&] {
    tcp::listener second;
    error_code error;
    second.listen("127.0.0.1", port, {}, error);
    BOOST_TEST(error == asio::error::address_in_use);
    BOOST_TEST(!second.is_open());
    second.listen(tcp::endpoint{asio::ip::address_v4::loopback(), 0}, {}, error);
    BOOST_TEST(!error);
    auto client = tcp::connect("127.0.0.1", second.local_endpoint().port());
    BOOST_TEST(second.accept().is_open());
    second.listen("no.such.host.invalid", 1, {}, error);
    BOOST_TEST((error.category() == asio::error::get_addrinfo_category()));
    BOOST_TEST(!second.is_open());
    local::listener third;
    third.listen("/no/such/folder/socket", 1, error);
    BOOST_TEST(error == boost::system::errc::no_such_file_or_directory);
    third.listen(std::string(200, 'x'), 1, error);
    BOOST_TEST(error == boost::system::errc::filename_too_long);
    BOOST_TEST(!third.is_open());
  });
  scheduler.run();
}

BOOST_AUTO_TEST_SUITE_END()
