// assign() and release(): a socket takes over a descriptor, or gives its descriptor away.
#include <fibers/local.hpp>
#include <fibers/stream_socket.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <tests/fibers/tcp_fixture.hpp>

namespace {

// Releases the stream. If release() fails because the reactor has received bytes, reads those first
// and appends them to `read`.
int release_all(fibers::stream_socket& stream, std::string& read) {
  error_code error;
  for (;;) {
    const int released = stream.release(error);
    if (released >= 0) return released;
    BOOST_REQUIRE(error == asio::error::try_again);
    BOOST_REQUIRE((backend() == fibers::io::io_uring));
    std::array<char, 100> buffer;
    read.append(buffer.data(), stream.read_some(asio::buffer(buffer)));
  }
}

void make_blocking(int descriptor) {
  checked(::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK), "fcntl");
}

std::string numbered(std::size_t size) {
  std::string bytes;
  for (int i = 0; bytes.size() < size; ++i) bytes += std::to_string(i) + ' ';
  bytes.resize(size);
  return bytes;
}

// The kernel takes no more bytes of the stream until the peer reads.
std::size_t fill_up(const fibers::stream_socket& stream) {
  return fill(descriptor{::dup(stream.native_handle())});
}

boost::test_tools::assertion_result keeps_what_is_sent(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result does{keeps_bytes()};
  does.message() << "the other reactors leave all bytes to the kernel";
  return does;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(taking_over, tcp_fixture)

BOOST_AUTO_TEST_CASE(release_loses_nothing_that_came_and_was_not_read) {
  const auto all = numbered(40'000);
  for (const std::size_t read_first : {0u, 1u, 100u, 5'000u, 20'000u}) {
    talk(
        [&](tcp::stream& server) {
          for (std::size_t at = 0; at < all.size(); at += 400) {
            write(server, all.substr(at, 400));
            if (at % 4'000 == 0) this_fiber::yield();
          }
        },
        [&](tcp::stream& client) {
          auto got = read_exactly(client, read_first);
          const descriptor mine{release_all(client, got)};
          BOOST_TEST(!client.is_open());
          for (int i = 0; i < 3; ++i) this_fiber::sleep_for(1ms);
          while (got.size() < all.size()) {
            BOOST_REQUIRE(this_fiber::wait_readable_for(mine.get(), patience));
            std::array<char, 4096> buffer;
            const auto some = ::recv(mine.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            BOOST_REQUIRE(some > 0);
            got.append(buffer.data(), static_cast<std::size_t>(some));
          }
          BOOST_TEST((got == all));
        });
  }
}

BOOST_AUTO_TEST_CASE(release_waits_for_what_was_sent) {
  const auto all = numbered(3'000'000);
  talk(
      [&](tcp::stream& server) {
        this_fiber::sleep_for(5ms);
        BOOST_TEST((read_exactly(server, all.size()) == all));
      },
      [&](tcp::stream& client) {
        write(client, all);
        const descriptor mine{client.release()};
        BOOST_TEST(!client.is_open());
      });
}

BOOST_AUTO_TEST_CASE(release_ends_the_calls_of_other_fibers) {
  talk([](tcp::stream& server) { BOOST_TEST(read_exactly(server, 1) == "x"); },
       [&](tcp::stream& client) {
         error_code error;
         auto reading = scheduler.spawn([&] {
           char byte = 0;
           client.read_some(asio::buffer(&byte, 1), error);
         });
         this_fiber::sleep_for(1ms);
         const descriptor mine{client.release()};
         reading.join();
         BOOST_TEST(error == asio::error::operation_aborted);
         send_all(mine, "x");
       });
}

BOOST_AUTO_TEST_CASE(a_released_listener_loses_no_connection) {
  scheduler.spawn([&] {
    std::vector<tcp::stream> here;
    std::vector<descriptor> clients;
    auto accepting = scheduler.spawn([&] {
      error_code aborted;
      for (;;) {
        auto next = listener.accept(aborted);
        if (aborted) return;
        here.push_back(std::move(next));
      }
    });
    this_fiber::sleep_for(1ms);
    for (int i = 0; i < 5; ++i) clients.push_back(connected_to(port));
    error_code error;
    int released = -1;
    while ((released = listener.release(error)) < 0) {
      BOOST_REQUIRE(error == asio::error::try_again);
      here.push_back(listener.accept());
    }
    const descriptor mine{released};
    accepting.join();
    make_blocking(mine.get());
    ::alarm(static_cast<unsigned>(patience.count()));  // a lost connection would block accept()
    auto accepted = here.size();
    for (; accepted < clients.size(); ++accepted) {
      const descriptor next{checked(::accept(mine.get(), nullptr, nullptr), "accept")};
    }
    ::alarm(0);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(every_socket_takes_over_one_that_is_open) {
  scheduler.spawn([&] {
    const listening_socket inherited;
    tcp::listener second;
    second.assign(::dup(inherited.socket.get()));
    BOOST_TEST(second.local_endpoint().port() == inherited.port);
    fibers::stream_listener third;
    third.assign(listener.release());
    const auto meet = [&](auto& accepts, std::uint16_t at) {
      tcp::stream near;
      near.assign(::dup(connected_to(at).get()));
      auto server = accepts.accept();
      asio::write(near, asio::buffer("x", 1));
      char byte = 0;
      server.read_some(asio::buffer(&byte, 1));
      BOOST_TEST(byte == 'x');
    };
    meet(second, inherited.port);
    meet(third, port);
  });
  scheduler.run();
}

// Another loop may use the same listener by another descriptor, and would block in accept().
BOOST_AUTO_TEST_CASE(a_non_blocking_listener_that_is_shared_stays_non_blocking) {
  const listening_socket shared;
  const auto flags = [&] { return ::fcntl(shared.socket.get(), F_GETFL); };
  checked(::fcntl(shared.socket.get(), F_SETFL, flags() | O_NONBLOCK), "fcntl");
  scheduler.spawn([&] {
    tcp::listener mine;
    mine.assign(::dup(shared.socket.get()));
    for (int i = 0; i < 3; ++i) {
      auto accepting = scheduler.spawn([&] { return mine.accept(); });
      this_fiber::sleep_for(1ms);
      BOOST_TEST((flags() & O_NONBLOCK) != 0);
      const auto client = connected_to(shared.port);
      auto server = accepting.join();
      write(server, "x");
      BOOST_REQUIRE(this_fiber::wait_readable_for(client.get(), patience));
      BOOST_TEST(receive_all(client, 1) == "x");
    }
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(what_is_no_stream_is_not_taken_over) {
  namespace errc = boost::system::errc;
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const descriptor pipe{ends[0]}, written{ends[1]};
  const descriptor file{checked(::open("/dev/null", O_RDWR | O_CLOEXEC), "open")};
  const descriptor packets{checked(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "socket")};
  const descriptor datagrams{checked(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")};
  const descriptor udp{checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")};
  const auto refused = [](auto&& taker, const descriptor& offered, auto why) {
    const int flags = ::fcntl(offered.get(), F_GETFL);
    error_code error;
    taker.assign(offered.get(), error);
    BOOST_TEST(error == why);
    BOOST_TEST(!taker.is_open());
    BOOST_TEST(::fcntl(offered.get(), F_GETFL) == flags);  // still open, and as it was
  };
  for (const auto* message : {&packets, &datagrams, &udp}) {
    refused(tcp::stream{}, *message, errc::wrong_protocol_type);
    refused(fibers::local::stream{}, *message, errc::wrong_protocol_type);
    refused(fibers::stream_listener{}, *message, errc::wrong_protocol_type);
  }
  for (const auto* other : {&pipe, &file}) {
    refused(tcp::stream{}, *other, errc::not_a_socket);
    refused(tcp::listener{}, *other, errc::not_a_socket);
  }
  const listening_socket listens;
  const tcp_pair peers;
  refused(tcp::stream{}, listens.socket, errc::invalid_argument);
  refused(fibers::local::stream{}, listens.socket, errc::invalid_argument);
  refused(tcp::listener{}, peers.near, errc::invalid_argument);
  refused(fibers::local::listener{}, peers.near, errc::invalid_argument);
  refused(fibers::stream_listener{}, peers.near, errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_listener_that_was_moved_takes_over_listening_sockets_only) {
  const listening_socket listens;
  const tcp_pair peers;
  tcp::listener first;
  tcp::listener moved{std::move(first)};
  error_code error;
  moved.assign(peers.near.get(), error);
  BOOST_TEST(error == boost::system::errc::invalid_argument);
  moved.assign(::dup(listens.socket.get()), error);
  BOOST_TEST(!error);
}

BOOST_AUTO_TEST_CASE(an_open_socket_and_a_bad_descriptor_are_not_taken_over) {
  scheduler.spawn([&] {
    const tcp_pair peers;
    error_code error;
    listener.assign(peers.near.get(), error);
    BOOST_TEST(error == asio::error::already_open);
    BOOST_TEST(listener.local_endpoint().port() == port);
    tcp::stream stream;
    stream.assign(-1, error);
    BOOST_TEST(error == asio::error::bad_descriptor);
    BOOST_TEST(!stream.is_open());
    BOOST_CHECK_THROW(stream.assign(-1), boost::system::system_error);
  });
  scheduler.run();
}

// --- release() while sent bytes are still here ---------------------------------------------------

BOOST_AUTO_TEST_CASE(a_release_that_waits_ends_at_the_deadline_and_leaves_the_stream_open,
                     *boost::unit_test::precondition(keeps_what_is_sent)) {
  scheduler.spawn([] {
    connection peers;
    const auto size = fill_up(peers.stream);
    peers.stream.write_some(asio::buffer("x", 1));
    peers.stream.expires_after(10ms);
    error_code error;
    BOOST_TEST(peers.stream.release(error) == -1);
    BOOST_TEST(error == asio::error::timed_out);
    BOOST_TEST(peers.stream.is_open());
    BOOST_CHECK_THROW(static_cast<void>(peers.stream.release()), boost::system::system_error);
    peers.stream.expires_never();
    BOOST_TEST(receive_all(peers.far, size).size() == size);
    const descriptor mine{peers.stream.release()};
    BOOST_TEST(receive_all(peers.far, 1) == "x");
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_release_that_waits_is_aborted_if_the_stream_is_closed,
                     *boost::unit_test::precondition(keeps_what_is_sent)) {
  scheduler.spawn([&] {
    connection peers;
    fill_up(peers.stream);
    peers.stream.write_some(asio::buffer("x", 1));
    auto closing = scheduler.spawn([&] {
      this_fiber::sleep_for(1ms);
      peers.stream.close();
    });
    error_code error;
    BOOST_TEST(peers.stream.release(error) == -1);
    BOOST_TEST(error == asio::error::operation_aborted);
    closing.join();
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_release_outside_of_a_fiber_does_not_wait,
                     *boost::unit_test::precondition(keeps_what_is_sent)) {
  connection peers;
  scheduler.spawn([&] {
    fill_up(peers.stream);
    peers.stream.write_some(asio::buffer("x", 1));
    throw std::runtime_error{"let run() return before all is sent"};
  });
  BOOST_CHECK_THROW(scheduler.run(), std::runtime_error);
  error_code error;
  BOOST_TEST(peers.stream.release(error) == -1);
  BOOST_TEST(error == boost::system::errc::device_or_resource_busy);
  BOOST_TEST(peers.stream.is_open());
}

BOOST_AUTO_TEST_CASE(a_release_before_all_was_read_says_so_or_leaves_the_bytes_to_the_kernel) {
  scheduler.spawn([] {
    connection peers;
    send_all(peers.far, "hello");
    BOOST_TEST(peers.read() == 'h');
    if (!keeps_bytes()) {
      const descriptor mine{peers.stream.release()};
      BOOST_TEST(receive_all(mine, 4) == "ello");
      return;
    }
    BOOST_CHECK_EXCEPTION(static_cast<void>(peers.stream.release()), boost::system::system_error,
                          [](const auto& error) {
                            return std::string{error.what()}.find("before all was read") !=
                                   std::string::npos;
                          });
    BOOST_TEST(read_exactly(peers.stream, 4) == "ello");
    const descriptor mine{peers.stream.release()};
  });
  scheduler.run();
}

BOOST_AUTO_TEST_SUITE_END()
