// Queries of sockets, and the overloads that set an error_code instead of throwing.
#include <fibers/local.hpp>

#include <array>
#include <boost/asio/ip/unicast.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <tests/fibers/forbidden.hpp>
#include <tests/fibers/forked.hpp>
#include <tests/fibers/tcp_fixture.hpp>

namespace local = fibers::local;

namespace {

// What the system_error says that `call` throws.
template <class Call>
std::string said_by(Call call) {
  try {
    call();
  } catch (const boost::system::system_error& error) {
    return error.what();
  }
  return "nothing";
}

}  // namespace

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

BOOST_AUTO_TEST_CASE(a_socket_that_is_moved_to_itself_stays_as_it_is) {
  talk([](tcp::stream& server) { write(server, "x"); },
       [](tcp::stream& client) {
         auto& same = client;
         client = std::move(same);
         BOOST_TEST(read_exactly(client, 1) == "x");
       });
}

BOOST_AUTO_TEST_CASE(the_lowest_layer_of_a_stream_is_the_stream) {
  const auto is_its_own = [](auto stream) {
    const auto& same = stream;
    return &stream.lowest_layer() == &stream && &same.lowest_layer() == &stream;
  };
  BOOST_TEST(is_its_own(tcp::stream{}));
  BOOST_TEST(is_its_own(local::stream{}));
  BOOST_TEST(is_its_own(fibers::stream_socket{}));
}

BOOST_AUTO_TEST_CASE(closing_under_asios_name_succeeds_each_time) {
  scheduler.spawn([&] {
    auto client = connected();
    for (int i = 0; i < 2; ++i) {
      error_code error = asio::error::eof;
      client.close(error);
      BOOST_TEST(!error);
      BOOST_TEST(!client.is_open());
    }
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(what_is_closed_can_be_cancelled_and_opened_again) {
  scheduler.spawn([&] {
    tcp::stream client;
    client.cancel();
    client.connect(listener.local_endpoint());
    auto server = listener.accept();
    write(server, "x");
    BOOST_TEST(read_exactly(client, 1) == "x");
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(an_option_that_a_socket_does_not_have_is_an_error) {
  scheduler.spawn([] {
    connection peers;
    error_code error;
    peers.stream.set_option(asio::ip::tcp::no_delay{true}, error);
    BOOST_TEST(error == asio::error::operation_not_supported);
    BOOST_CHECK_THROW(peers.stream.set_option(asio::ip::tcp::no_delay{true}),
                      boost::system::system_error);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(asking_a_closed_socket_for_its_endpoint_is_an_error) {
  scheduler.spawn([&] {
    auto client = connected();
    error_code error = asio::error::eof;
    BOOST_TEST((client.local_endpoint(error) == client.local_endpoint()));
    BOOST_TEST(!error);
    BOOST_TEST((listener.local_endpoint(error) == listener.local_endpoint()));
    BOOST_TEST(!error);
    client.close();
    client.local_endpoint(error);
    BOOST_TEST(error == asio::error::bad_descriptor);
    tcp::listener{}.local_endpoint(error);
    BOOST_TEST(error == asio::error::bad_descriptor);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(every_call_on_a_closed_socket_that_fails_throws_what_its_code_says) {
  scheduler.spawn([] {
    tcp::stream closed;
    std::array<char, 2> bytes{};
    const std::array<asio::mutable_buffer, 2> two{asio::buffer(bytes, 1), asio::buffer(bytes)};
    error_code error;
    BOOST_TEST(closed.read_some(two, error) == 0U);
    BOOST_TEST(error == asio::error::bad_descriptor);
    error = {};
    BOOST_TEST(closed.write_some(two, error) == 0U);
    BOOST_TEST(error == asio::error::bad_descriptor);
    closed.flush(error);
    BOOST_TEST(error == asio::error::bad_descriptor);
    closed.shutdown(asio::socket_base::shutdown_send, error);
    BOOST_TEST(error == asio::error::bad_descriptor);
    const auto bad = [](auto call) { return said_by(call).find("Bad file") != std::string::npos; };
    BOOST_TEST(bad([&] { closed.flush(); }));
    BOOST_TEST(bad([&] { closed.shutdown(asio::socket_base::shutdown_send); }));
    BOOST_TEST(bad([] { tcp::listener{}.accept(); }));
    BOOST_TEST(bad([] { local::listener{}.accept(); }));
    BOOST_TEST(bad([] { fibers::stream_listener{}.accept(); }));
    tcp::endpoint peer;
    BOOST_TEST(bad([&] { tcp::listener{}.accept(peer); }));
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(what_fails_at_an_endpoint_or_a_path_names_it) {
  const bound_socket nobody;
  const auto port_there = std::to_string(nobody.port);
  scheduler.spawn([&] {
    const auto names = [](auto call, const std::string& name) {
      return said_by(call).find(name) != std::string::npos;
    };
    const tcp::endpoint four{asio::ip::address_v4::loopback(), nobody.port};
    const tcp::endpoint six{asio::ip::address_v6::loopback(), nobody.port};
    BOOST_TEST(names([&] { tcp::stream{}.connect(four); }, "connect to 127.0.0.1:" + port_there));
    BOOST_TEST(names([&] { tcp::stream{}.connect(six); }, "connect to [::1]:" + port_there));
    BOOST_TEST(names([&] { tcp::connect("::1", nobody.port); }, "to [::1]:" + port_there));
    BOOST_TEST(names([&] { tcp::listener{four}; }, "listen on 127.0.0.1:" + port_there));
    BOOST_TEST(names([] { local::stream{}.connect("/no/path"); }, "connect to /no/path"));
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_listener_at_an_endpoint_accepts) {
  scheduler.spawn([] {
    tcp::listener doorway{tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    const auto client = tcp::connect("127.0.0.1", doorway.local_endpoint().port());
    BOOST_TEST((doorway.accept().remote_endpoint() == client.local_endpoint()));
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(two_listeners_share_a_port_if_both_say_so) {
  const tcp::listener first{"127.0.0.1", 0, {.reuse_port = true}};
  const auto shared = first.local_endpoint().port();
  const tcp::listener second{"127.0.0.1", shared, {.reuse_port = true}};
  BOOST_TEST(second.local_endpoint().port() == shared);
  tcp::listener third;
  error_code error;
  third.listen("127.0.0.1", shared, {}, error);
  BOOST_TEST(error == asio::error::address_in_use);
}

BOOST_AUTO_TEST_CASE(accepted_streams_delay_small_writes_if_the_listener_was_told_so) {
  scheduler.spawn([] {
    for (const bool wanted : {false, true}) {
      tcp::listener doorway{"127.0.0.1", 0, {.no_delay = wanted}};
      const auto client = tcp::connect("127.0.0.1", doorway.local_endpoint().port());
      asio::ip::tcp::no_delay found;
      doorway.accept().get_option(found);
      BOOST_TEST(found.value() == wanted);
    }
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_machine_without_ipv6_listens_on_ipv4_alone) {
  const auto listens_on_ipv4 = [] {
    const fibers::scheduler own{backend()};
    const tcp::listener everywhere{"", 0};
    const auto here = everywhere.local_endpoint();
    return here.address().is_v4() && here.address().is_unspecified() ? 0 : 1;
  };
  BOOST_TEST(exit_code_of([&] {
               forbid(SYS_socket, EAFNOSUPPORT, 0, AF_INET6);
               return listens_on_ipv4();
             }) == 0);
  BOOST_TEST(exit_code_of([&] {  // the kernel has IPv6, and no address of it
               forbid(SYS_bind, EADDRNOTAVAIL, 2, sizeof(sockaddr_in6));
               return listens_on_ipv4();
             }) == 0);
}

BOOST_AUTO_TEST_CASE(a_listener_whose_options_cannot_be_set_says_so_and_stays_closed) {
  const auto said = [](int level, int name, const char* host, tcp::listener_options options) {
    return exit_code_of([&] {
      forbid(SYS_setsockopt, ENOPROTOOPT, level != 0 ? 1 : 2,
             static_cast<std::uint32_t>(level != 0 ? level : name));
      const fibers::scheduler own{backend()};
      tcp::listener refused;
      error_code error;
      refused.listen(host, 0, options, error);
      return error == boost::system::errc::no_protocol_option && !refused.is_open() ? 0 : 1;
    });
  };
  BOOST_TEST(said(0, SO_REUSEPORT, "127.0.0.1", {.reuse_port = true}) == 0);
  BOOST_TEST(said(IPPROTO_TCP, 0, "127.0.0.1", {}) == 0);
  BOOST_TEST(said(IPPROTO_IPV6, 0, "", {}) == 0);
}

// --- calls outside of a fiber --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_stream_can_be_shut_down_outside_of_a_fiber) {
  tcp::stream client, server;
  scheduler.spawn([&] {
    client = connected();
    server = listener.accept();
    write(client, "x");
  });
  scheduler.run();
  client.shutdown(asio::socket_base::shutdown_send);
  scheduler.spawn([&] {
    BOOST_TEST(read_exactly(server, 1) == "x");
    char byte = 0;
    error_code error;
    BOOST_TEST(server.read_some(asio::buffer(&byte, 1), error) == 0U);
    BOOST_TEST(error == asio::error::eof);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_read_or_write_outside_of_a_fiber_is_an_error_though_others_are_ready) {
  tcp::stream client, server;
  scheduler.spawn([&] {
    client = connected();
    server = listener.accept();
    write(server, "0123456789");
    BOOST_TEST(read_exactly(client, 1) == "0");
  });
  scheduler.run();
  bool ran = false;
  scheduler.spawn([&] { ran = true; });
  char byte = 0;
  BOOST_CHECK_THROW(client.read_some(asio::buffer(&byte, 1)), std::logic_error);
  BOOST_CHECK_THROW(client.write_some(asio::buffer(&byte, 1)), std::logic_error);
  BOOST_TEST(!ran);
  scheduler.run();
  BOOST_TEST(ran);
}

// --- buffer sequences ----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_call_leaves_buffers_beyond_the_sixteenth_to_the_next_one) {
  const std::string sent = "abcdefghijklmnopqrst";
  std::vector<asio::const_buffer> singles;
  for (const char& each : sent) singles.push_back(asio::buffer(&each, 1));
  talk(
      [&](tcp::stream& server) {
        BOOST_TEST(server.write_some(singles) == 16U);
        write(server, sent.substr(16));
      },
      [&](tcp::stream& client) { BOOST_TEST(read_exactly(client, 20) == sent); });
}

// A call takes 16 buffers at a time.
BOOST_AUTO_TEST_CASE(buffers_beyond_what_one_call_takes_arrive_in_order) {
  for (const std::size_t part : {1U, 10'000U}) {
    std::vector<std::string> parts;
    std::vector<asio::const_buffer> buffers;
    std::string all;
    for (char c = 'a'; c < 'a' + 20; ++c) all += parts.emplace_back(part, c);
    for (const auto& each : parts) buffers.push_back(asio::buffer(each));
    talk([&](tcp::stream& server) { asio::write(server, buffers); },
         [&](tcp::stream& client) {
           std::string got(all.size(), '\0');
           std::vector<asio::mutable_buffer> places;
           for (std::size_t i = 0; i < 20; ++i)
             places.push_back(asio::buffer(got.data() + i * part, part));
           asio::read(client, places);
           BOOST_TEST((got == all));
         });
  }
}

BOOST_AUTO_TEST_SUITE_END()
