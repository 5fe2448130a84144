// What happens to unsent bytes when a stream is closed. If its writer was stuck, the connection
// ends. If the peer is only slow, every byte arrives.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include <tests/fibers/tcp_fixture.hpp>

namespace {

constexpr auto soon = 2s;

// The ports of a loopback connection. One is not enough: another connection may have it as well.
struct ports {
  std::uint16_t local, remote;
};

// Whether the kernel lists this connection as established, even if no descriptor is open any more.
bool is_established(ports of) {
  std::array<char, 40> wanted{};
  std::snprintf(wanted.data(), wanted.size(), " 0100007F:%04X 0100007F:%04X 01 ", of.local,
                of.remote);
  std::ifstream table{"/proc/net/tcp"};
  for (std::string line; std::getline(table, line);) {
    if (line.find(wanted.data()) != line.npos) return true;
  }
  return false;
}

std::uint16_t port_of(const descriptor& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

void set_small_buffer(const descriptor& reader, int small = 8192) {
  ::setsockopt(reader.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
}

// A peer that reads nothing, and a stream that writes to it.
struct deaf_peer : scheduler_fixture {
  deaf_peer() {
    set_small_buffer(peers.far);
    link = {port_of(peers.near), port_of(peers.far)};
    stream = tcp::stream::from_descriptor(::dup(peers.near.get()));
    peers.near = descriptor{};
  }

  error_code write_until_stuck() {
    error_code error;
    asio::write(stream, asio::buffer(bytes), error);
    return error;
  }

  void expect_no_connection() const {
    const auto until = fibers::clock::now() + soon;
    while (is_established(link) && fibers::clock::now() < until) this_fiber::sleep_for(5ms);
    BOOST_TEST(!is_established(link));
  }

  tcp_pair peers;
  ports link{};
  tcp::stream stream;
  const std::string bytes = std::string(16 << 20, 'x');
};

// Reads to the end of the stream on another thread. Begins after `pause`, and sleeps 1 ms after
// each receive of at most `at_once` bytes.
std::future<std::string> read_slowly(const descriptor& peer, fibers::clock::duration pause,
                                     std::size_t at_once) {
  return std::async(std::launch::async, [&peer, pause, at_once] {
    const timeval longest{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    std::this_thread::sleep_for(pause);
    std::string arrived;
    std::string part(at_once, '\0');
    for (;;) {
      const auto got = ::recv(peer.get(), part.data(), part.size(), 0);
      if (got == 0) return arrived;
      if (got < 0) return arrived + ", then " + std::generic_category().message(errno);
      arrived.append(part.data(), static_cast<std::size_t>(got));
      std::this_thread::sleep_for(1ms);
    }
  });
}

// Lets a failed check print how many bytes arrived.
std::string summary(const std::string& arrived, const std::string& expected) {
  if (arrived == expected) return "all";
  const auto more = arrived.find(',');
  return std::to_string(std::min(more, arrived.size())) + " bytes" +
         (more == arrived.npos ? "" : arrived.substr(more));
}

// The peer begins to read late. The writer closes the stream as soon as its write has returned.
struct slow_peer : scheduler_fixture {
  slow_peer() { limit_buffers(); }

  // Makes the kernel's buffers too small for all that is written.
  void limit_buffers() const {
    set_small_buffer(peers.far, window);
    const int small = 16384;
    ::setsockopt(peers.near.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  }

  void write_and_close(const std::string& bytes) {
    auto stream = tcp::stream::from_descriptor(::dup(peers.near.get()));
    peers.near = descriptor{};
    write(stream, bytes);
    stream.close();
  }

  static constexpr int window = 65536;  // if smaller, the kernel sends only a piece per 200 ms
  tcp_pair peers;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(stuck_writers, deaf_peer)

BOOST_AUTO_TEST_CASE(closing_a_stream_whose_writer_is_stuck_closes_the_connection) {
  scheduler.spawn([&] {
    auto writing = scheduler.spawn([&] { return write_until_stuck(); });
    this_fiber::sleep_for(100ms);
    BOOST_TEST(is_established(link));
    stream.close();
    expect_no_connection();
    BOOST_TEST(writing.join() == asio::error::operation_aborted);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_stuck_writer_that_closes_at_its_limit_closes_the_connection) {
  scheduler.spawn([&] {
    stream.expires_after(200ms);
    BOOST_TEST(write_until_stuck() == asio::error::timed_out);
    stream.close();
    expect_no_connection();
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_stuck_writer_that_closes_when_idle_closes_the_connection) {
  scheduler.spawn([&] {
    stream.expires_when_idle(200ms);
    BOOST_TEST(write_until_stuck() == asio::error::timed_out);
    stream.close();
    expect_no_connection();
  });
  scheduler.run();
}

// The limit belongs to both fibers. It wakes the reader first, so the stream closes while the write
// is pending.
BOOST_AUTO_TEST_CASE(a_reader_that_closes_when_idle_closes_the_connection_of_a_stuck_writer) {
  scheduler.spawn([&] {
    auto writing = scheduler.spawn([&] { return write_until_stuck(); });
    stream.expires_when_idle(200ms);
    char byte = 0;
    error_code error;
    stream.read_some(asio::buffer(&byte, 1), error);
    BOOST_TEST(error == asio::error::timed_out);
    stream.close();
    expect_no_connection();
    BOOST_TEST(bool{writing.join()});
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_scheduler_does_not_wait_at_its_end_for_a_peer_whose_stream_was_closed) {
  auto brief = std::make_unique<fibers::scheduler>(backend());
  stream.close();
  tcp_pair others;
  set_small_buffer(others.far);
  brief->spawn([&] {
    auto stuck = tcp::stream::from_descriptor(::dup(others.near.get()));
    auto writing = brief->spawn([&] {
      error_code error;
      asio::write(stuck, asio::buffer(bytes), error);
    });
    this_fiber::sleep_for(100ms);
    stuck.close();
    writing.join();
  });
  brief->run();
  const auto begin = fibers::clock::now();
  brief.reset();
  BOOST_TEST((fibers::clock::now() - begin < 500ms));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(slow_readers, slow_peer)

BOOST_AUTO_TEST_CASE(what_was_written_before_a_close_arrives_whole_however_slow_the_reader_is) {
  for (const std::size_t size : {std::size_t{100'000}, std::size_t{5 << 20}}) {
    peers = tcp_pair{};
    limit_buffers();
    const std::string bytes(size, 'x');
    auto arrived = read_slowly(peers.far, 2s, size / 100);
    scheduler.spawn([&] {
      write_and_close(bytes);
      while (arrived.wait_for(0s) != std::future_status::ready) this_fiber::sleep_for(10ms);
      BOOST_TEST(summary(arrived.get(), bytes) == "all");
    });
    scheduler.run();
  }
}

BOOST_AUTO_TEST_CASE(what_was_written_arrives_though_the_stream_closes_under_a_fiber_that_flushes) {
  limit_buffers();
  const std::string bytes(64 * 16384, 'x');
  auto arrived = read_slowly(peers.far, 500ms, 100'000);
  scheduler.spawn([&] {
    auto stream = tcp::stream::from_descriptor(::dup(peers.near.get()));
    peers.near = descriptor{};
    write(stream, bytes);
    auto flushing = scheduler.spawn([&] {
      error_code error;
      stream.flush(error);
    });
    this_fiber::yield();
    stream.close();
    flushing.join();
    while (arrived.wait_for(0s) != std::future_status::ready) this_fiber::sleep_for(10ms);
    BOOST_TEST(summary(arrived.get(), bytes) == "all");
  });
  scheduler.run();
}

// The scheduler still exists, but run() has returned.
BOOST_AUTO_TEST_CASE(what_was_written_before_a_close_arrives_when_run_has_returned) {
  const std::string bytes(64 * 16384, 'x');
  auto arrived = read_slowly(peers.far, 500ms, 10'000);
  scheduler.spawn([&] { write_and_close(bytes); });
  scheduler.run();
  const bool ended = arrived.wait_for(soon) == std::future_status::ready;
  BOOST_TEST(ended);
  if (ended) BOOST_TEST(summary(arrived.get(), bytes) == "all");
  ::shutdown(peers.far.get(), SHUT_RDWR);  // ends a reader that still waits
}

// --- other fibers close or cancel ----------------------------------------------------------------

// With io_uring, what is written to a peer that takes nothing stays here.
BOOST_FIXTURE_TEST_CASE(a_shutdown_that_waits_is_aborted_if_the_stream_is_closed,
                        scheduler_fixture) {
  if (!keeps_bytes()) return;  // no shutdown waits
  scheduler.spawn([&] {
    connection peers;
    fill(descriptor{::dup(peers.stream.native_handle())});
    peers.stream.write_some(asio::buffer("x", 1));
    auto closing = scheduler.spawn([&] {
      this_fiber::sleep_for(1ms);
      peers.stream.close();
    });
    error_code error;
    peers.stream.shutdown(asio::socket_base::shutdown_send, error);
    BOOST_TEST(error == asio::error::operation_aborted);
    closing.join();
  });
  scheduler.run();
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_fiber_that_shuts_down_both_ways_ends_reads_and_loses_no_bytes,
                        scheduler_fixture) {
  scheduler.spawn([&] {
    connection peers;
    const auto size = fill(descriptor{::dup(peers.stream.native_handle())});
    std::string sent = "x";
    if (!keeps_bytes()) sent.clear();  // there is no room for it
    auto cancelled = scheduler.spawn([&] {
      if (!sent.empty()) peers.stream.write_some(asio::buffer(sent));
      struct shut_down_at_the_end {
        ~shut_down_at_the_end() {
          error_code error;
          at.shutdown(asio::socket_base::shutdown_both, error);
          BOOST_TEST(!error);
        }
        tcp::stream& at;
      } guard{peers.stream};
      this_fiber::sleep_for(1h);
    });
    this_fiber::yield();
    cancelled.cancel();
    BOOST_CHECK_THROW(cancelled.join(), fibers::cancelled);
    char byte = 0;
    error_code error;
    BOOST_TEST(peers.stream.read_some(asio::buffer(&byte, 1), error) == 0U);
    BOOST_TEST(error == asio::error::eof);
    BOOST_TEST(receive_all(peers.far, size).size() == size);
    this_fiber::sleep_for(1ms);
    BOOST_TEST(receive_all(peers.far, 2) == sent);
  });
  scheduler.run();
}

BOOST_FIXTURE_TEST_CASE(a_read_into_several_buffers_makes_way_and_can_be_closed_under_meanwhile,
                        tcp_fixture) {
  if (keeps_bytes()) return;  // a read there makes no way
  talk([&](tcp::stream& server) { write(server, "1234"); },
       [&](tcp::stream& client) {
         std::array<char, 2> bytes{};
         const std::array<asio::mutable_buffer, 2> two{asio::buffer(bytes.data(), 1),
                                                       asio::buffer(bytes.data() + 1, 1)};
         BOOST_TEST(client.read_some(two) == 2U);
         scheduler.spawn([&] { client.close(); });
         error_code error;
         BOOST_TEST(client.read_some(two, error) == 0U);
         BOOST_TEST(error == asio::error::operation_aborted);
       });
}

BOOST_AUTO_TEST_SUITE_END()
