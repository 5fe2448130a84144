// tcp: listeners and streams, and the errors that they report.
#include <netdb.h>
#include <netinet/tcp.h>

#include <array>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <istream>
#include <iterator>
#include <string>
#include <vector>

#include <tests/fibers/resident_pages.hpp>
#include <tests/fibers/tcp_fixture.hpp>
#include <tests/sanitized.hpp>

namespace {

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {});
}

int option_of(const tcp::stream& stream, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  checked(::getsockopt(stream.native_handle(), level, name, &value, &length), "getsockopt");
  return value;
}

boost::test_tools::assertion_result ipv6_loopback(boost::unit_test::test_unit_id) {
  const descriptor probe{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  boost::test_tools::assertion_result result{
      probe &&
      ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0};
  if (!result) result.message() << "this machine has no ::1";
  return result;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(streams, tcp_fixture)

BOOST_AUTO_TEST_CASE(an_echo_server_is_a_loop) {
  scheduler.spawn("listener", [&] {
    for (int i = 0; i < 3; ++i) {
      scheduler.spawn("session", [stream = listener.accept()]() mutable {
        std::array<char, 1000> buffer;
        error_code error;
        while (auto n = stream.read_some(asio::buffer(buffer), error)) {
          asio::write(stream, asio::buffer(buffer, n), error);
          if (error) break;
        }
        BOOST_TEST(error == asio::error::eof);
      });
    }
  });
  for (const std::string word : {"one", "two", "three"}) {
    scheduler.spawn("client", [this, word] {
      auto stream = connected();
      for (int i = 0; i < 10; ++i) {
        write(stream, word);
        BOOST_TEST(read_exactly(stream, word.size()) == word);
      }
    });
  }
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_stream_carries_much_in_both_directions_at_once) {
  const auto bytes = pattern(16 << 20);
  const auto both_ways = [&](tcp::stream& stream) {
    auto writer = scheduler.spawn("writer", [&] { write(stream, bytes); });
    const auto arrived = read_exactly(stream, bytes.size());
    BOOST_TEST((arrived == bytes));
    writer.join();
  };
  talk(both_ways, both_ways);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_stream_is_eof_every_time) {
  talk([](tcp::stream& server) { write(server, "bye"); },
       [](tcp::stream& client) {
         BOOST_TEST(read_exactly(client, 3) == "bye");
         std::array<char, 10> buffer;
         for (int i = 0; i < 2; ++i) {
           error_code error;
           BOOST_TEST(client.read_some(asio::buffer(buffer), error) == 0U);
           BOOST_TEST(error == asio::error::eof);
         }
         BOOST_CHECK_EXCEPTION(
             client.read_some(asio::buffer(buffer)), boost::system::system_error,
             [](const auto& thrown) { return thrown.code() == asio::error::eof; });
       });
}

// A receive stops at urgent data, although the socket has more bytes.
BOOST_AUTO_TEST_CASE(urgent_data_is_left_out_and_all_else_arrives) {
  tcp_pair peers;
  scheduler.spawn([&] {
    auto stream = tcp::stream::from_descriptor(::dup(peers.near.get()));
    stream.expires_after(patience);
    for (int i = 0; i < 2; ++i) BOOST_TEST(read_exactly(stream, 6) == "abcdef");
  });
  scheduler.spawn([&] {
    for (int i = 0; i < 2; ++i) {
      this_fiber::sleep_for(5ms);
      send_all(peers.far, "abc");
      checked(static_cast<int>(::send(peers.far.get(), "!", 1, MSG_OOB | MSG_NOSIGNAL)), "send");
      send_all(peers.far, "def");
    }
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_half_closed_stream_still_receives) {
  talk(
      [](tcp::stream& server) {
        std::string all;
        error_code error;
        asio::read(server, asio::dynamic_buffer(all), error);
        BOOST_TEST(error == asio::error::eof);
        write(server, "you said " + all);
      },
      [](tcp::stream& client) {
        write(client, "hello");
        client.shutdown(asio::socket_base::shutdown_send);
        BOOST_TEST(read_exactly(client, 14) == "you said hello");
      });
}

BOOST_AUTO_TEST_CASE(a_reset_is_an_error_and_leaves_others_served) {
  talk(
      [&](tcp::stream& server) {
        std::array<char, 10> buffer;
        error_code error;
        server.read_some(asio::buffer(buffer), error);
        BOOST_TEST(error == asio::error::connection_reset);
        auto other = listener.accept();
        BOOST_TEST(read_exactly(other, 2) == "me");
      },
      [&](tcp::stream& client) {
        client.set_option(asio::socket_base::linger{true, 0});
        client.close();
        auto other = connected();
        write(other, "me");
      });
}

BOOST_AUTO_TEST_CASE(buffers_without_room_give_nothing_at_once) {
  talk([](tcp::stream& server) { read_exactly(server, 1); },
       [](tcp::stream& client) {
         error_code error = asio::error::eof;
         BOOST_TEST(client.read_some(asio::mutable_buffer{}, error) == 0U);
         BOOST_TEST(!error);
         BOOST_TEST(client.read_some(std::vector<asio::mutable_buffer>(3)) == 0U);
         BOOST_TEST(client.write_some(std::vector<asio::const_buffer>{}) == 0U);
         write(client, "x");
       });
}

BOOST_AUTO_TEST_CASE(buffer_sequences_may_have_many_parts_and_empty_ones) {
  const auto bytes = pattern(1000);
  talk(
      [&](tcp::stream& server) {
        std::string arrived(bytes.size(), '\0');
        std::vector<asio::mutable_buffer> parts;
        for (std::size_t i = 0; i < bytes.size(); i += 20) {
          parts.push_back(asio::buffer(&arrived[i], 20));
          parts.emplace_back();
        }
        asio::read(server, parts);
        BOOST_TEST((arrived == bytes));
      },
      [&](tcp::stream& client) {
        std::vector<asio::const_buffer> parts(20);
        for (std::size_t i = 0; i < bytes.size(); i += 25) {
          parts.push_back(asio::buffer(&bytes[i], 25));
          parts.emplace_back();
        }
        asio::write(client, parts);
      });
}

BOOST_AUTO_TEST_CASE(asio_reads_lines_from_a_stream) {
  talk([](tcp::stream& server) { write(server, "first\nsecond\n"); },
       [](tcp::stream& client) {
         asio::streambuf buffer;
         std::istream lines{&buffer};
         for (const auto* expected : {"first", "second"}) {
           asio::read_until(client, buffer, '\n');
           std::string line;
           std::getline(lines, line);
           BOOST_TEST(line == expected);
         }
       });
}

BOOST_AUTO_TEST_CASE(options_are_set_and_accepted_streams_inherit_no_delay) {
  talk(
      [](tcp::stream& server) {
        BOOST_TEST(option_of(server, IPPROTO_TCP, TCP_NODELAY) != 0);
        server.set_option(asio::ip::tcp::no_delay{false});
        BOOST_TEST(option_of(server, IPPROTO_TCP, TCP_NODELAY) == 0);
      },
      [](tcp::stream& client) {
        client.set_option(asio::socket_base::keep_alive{true});
        BOOST_TEST(option_of(client, SOL_SOCKET, SO_KEEPALIVE) != 0);
      });
}

BOOST_AUTO_TEST_CASE(both_ends_know_their_endpoints) {
  talk(
      [&](tcp::stream& server) {
        BOOST_TEST(server.local_endpoint().port() == port);
        write(server, std::to_string(server.remote_endpoint().port()) + "\n");
      },
      [&](tcp::stream& client) {
        std::string line;
        asio::read_until(client, asio::dynamic_buffer(line), '\n');
        BOOST_TEST(client.remote_endpoint() == listener.local_endpoint());
        BOOST_TEST(line == std::to_string(client.local_endpoint().port()) + "\n");
      });
}

BOOST_AUTO_TEST_CASE(a_second_reader_is_told_that_the_stream_is_busy) {
  talk([](tcp::stream& server) { write(server, read_exactly(server, 1)); },
       [&](tcp::stream& client) {
         auto first = scheduler.spawn([&] { return read_exactly(client, 1); });
         this_fiber::yield();
         char byte = 0;
         error_code error;
         client.read_some(asio::buffer(&byte, 1), error);
         BOOST_TEST((error == boost::system::errc::device_or_resource_busy));
         write(client, "x");
         BOOST_TEST(first.join() == "x");
       });
}

BOOST_AUTO_TEST_CASE(a_second_fiber_that_accepts_is_told_that_the_listener_is_busy) {
  auto first = scheduler.spawn([&] { return listener.accept(); });
  scheduler.spawn([&] {
    error_code error;
    BOOST_TEST(!listener.accept(error).is_open());
    BOOST_TEST(error == boost::system::errc::device_or_resource_busy);
    this_fiber::wait_readable(listener.native_handle(), error);
    BOOST_TEST(error == boost::system::errc::device_or_resource_busy);
    const auto client = connected();
    BOOST_TEST(first.join().is_open());
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_closed_stream_says_so) {
  scheduler.spawn([] {
    tcp::stream closed;
    char byte = 0;
    error_code error;
    BOOST_TEST(!closed.is_open());
    closed.close();
    closed.read_some(asio::buffer(&byte, 1), error);
    BOOST_TEST(error == asio::error::bad_descriptor);
    closed.write_some(asio::buffer(&byte, 1), error);
    BOOST_TEST(error == asio::error::bad_descriptor);
    BOOST_CHECK_THROW(closed.remote_endpoint(), boost::system::system_error);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(connecting_by_name_works) {
  scheduler.spawn([&] { listener.accept(); });
  scheduler.spawn([&] { BOOST_TEST(tcp::connect("localhost", port).is_open()); });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(what_fails_names_the_address) {
  const bound_socket nobody;
  const auto names = [](const std::string& address) {
    return [address](const boost::system::system_error& thrown) {
      return std::string{thrown.what()}.find(address) != std::string::npos;
    };
  };
  scheduler.spawn([&] {
    BOOST_CHECK_EXCEPTION(tcp::connect("127.0.0.1", nobody.port), boost::system::system_error,
                          names("127.0.0.1:" + std::to_string(nobody.port)));
    BOOST_CHECK_EXCEPTION(tcp::connect("no.such.host.invalid", 1), boost::system::system_error,
                          names("no.such.host.invalid"));
    BOOST_CHECK_EXCEPTION((tcp::listener{"127.0.0.1", port}), boost::system::system_error,
                          names("127.0.0.1:" + std::to_string(port)));
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(the_loopback_of_ipv6_works, *boost::unit_test::precondition(ipv6_loopback)) {
  tcp::listener six{"::1", 0};
  scheduler.spawn([&] {
    auto server = six.accept();
    BOOST_TEST(server.remote_endpoint().address().is_v6());
    write(server, "six");
  });
  scheduler.spawn([&] {
    auto client = tcp::connect("::1", six.local_endpoint().port());
    BOOST_TEST(read_exactly(client, 3) == "six");
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(an_empty_host_is_every_address_of_both_families,
                     *boost::unit_test::precondition(ipv6_loopback)) {
  tcp::listener everywhere{"", 0};
  const auto here = everywhere.local_endpoint().port();
  scheduler.spawn([&] {
    for (const std::string host : {"127.0.0.1", "::1", "127.0.0.2", ""}) {
      auto client = tcp::connect_for(host, here, patience);
      auto server = everywhere.accept();
      write(server, "x");
      BOOST_TEST(read_exactly(client, 1) == "x");
    }
  });
  scheduler.run();
}

// The name up to the NUL would be found.
BOOST_AUTO_TEST_CASE(a_host_with_a_nul_is_refused) {
  const std::string host{"127.0.0.1\0.x", 12};
  const std::string only_a_nul(1, '\0');
  const error_code unknown{EAI_NONAME, asio::error::get_addrinfo_category()};
  scheduler.spawn([&] {
    for (const auto& wrong : {host, only_a_nul}) {
      error_code error;
      BOOST_TEST(!tcp::connect(wrong, port, error).is_open());
      BOOST_TEST(error == unknown);
      tcp::listener unheard;
      unheard.listen(wrong, 0, {}, error);
      BOOST_TEST(error == unknown);
      BOOST_TEST(!unheard.is_open());
    }
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_fiber_that_echoes_touches_two_pages_at_most,
                     *boost::unit_test::enable_if<!sanitized>()) {
  // No other test uses stacks of this size, so these have not been touched.
  fibers::scheduler fresh{{.backend = backend(), .stack_size = 60 * 1024}};
  tcp::listener doorway{"127.0.0.1", 0};
  auto echoes = fresh.spawn("echoes", [&] {
    auto stream = doorway.accept();
    std::array<char, 1000> buffer;
    error_code error;
    while (const auto size = stream.read_some(asio::buffer(buffer), error)) {
      asio::write(stream, asio::buffer(buffer, size), error);
      if (error) break;
    }
  });
  fresh.spawn("client", [&] {
    auto stream = tcp::connect("127.0.0.1", doorway.local_endpoint().port());
    for (int i = 0; i < 3; ++i) {
      write(stream, pattern(1000));
      BOOST_TEST(read_exactly(stream, 1000) == pattern(1000));
    }
    const auto pages = resident_pages(echoes.record().memory());
    BOOST_TEST(pages >= 1U);
    BOOST_TEST(pages <= 2U);
  });
  fresh.run();
}

BOOST_AUTO_TEST_CASE(thousands_of_connections_leave_no_descriptor_behind) {
  constexpr int many = sanitized ? 2'000 : 10'000;
  const auto before = open_descriptors();
  scheduler.spawn("server", [&] {
    for (int i = 0; i < many; ++i) {
      auto accepted = listener.accept();
      char byte = 0;
      error_code error;
      accepted.read_some(asio::buffer(&byte, 1), error);
    }
  });
  scheduler.spawn("client", [&] {
    for (int i = 0; i < many; ++i) {
      auto client = connected();
      client.set_option(asio::socket_base::linger{true, 0});  // a reset leaves no TIME_WAIT
    }
  });
  scheduler.run();
  BOOST_TEST(open_descriptors() == before);
  BOOST_TEST(scheduler.timers().empty());
}

BOOST_AUTO_TEST_SUITE_END()
