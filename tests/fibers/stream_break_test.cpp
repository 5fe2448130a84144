// What writers and readers are told of a stream that broke or was shut down.
#include <fibers/stream_socket.hpp>

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

#include <tests/fibers/tcp_fixture.hpp>

namespace {

constexpr int times = 200;

error_code write_one(fibers::stream_socket& to) {
  error_code error;
  to.write_some(asio::buffer("x", 1), error);
  return error;
}

error_code read_one(fibers::stream_socket& from) {
  char byte = 0;
  error_code error;
  from.read_some(asio::buffer(&byte, 1), error);
  return error;
}

// The end `near` of a pair of sockets, as a stream.
fibers::stream_socket stream_of(const descriptor& near) {
  fibers::stream_socket stream;
  stream.assign(::dup(near.get()));
  stream.expires_after(patience);
  return stream;
}

struct broken_streams : scheduler_fixture {
  // Runs `fact(stream, peer)` over TCP and over a Unix-domain socket, in a fiber.
  template <class Fact>
  void on_both_kinds(Fact fact) {
    tcp_pair by_tcp;
    local_pair by_path;
    scheduler.spawn([&] {
      for (const auto& [near, far] :
           {std::pair{&by_tcp.near, &by_tcp.far}, std::pair{&by_path.near, &by_path.far}}) {
        auto stream = stream_of(*near);
        *near = descriptor{};
        fact(stream, *far);
      }
    });
    scheduler.run();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(broken, broken_streams)

// The write comes between the reset and the moment when the loop wakes the reader.
BOOST_AUTO_TEST_CASE(a_reset_that_a_writer_met_first_is_no_end_to_the_reader) {
  scheduler.spawn([&] {
    int ends = 0, resets = 0;
    for (int i = 0; i < times; ++i) {
      tcp_pair peers;
      auto stream = stream_of(peers.near);
      peers.near = descriptor{};
      auto reading = scheduler.spawn([&] { return read_one(stream); });
      this_fiber::sleep_for(std::chrono::microseconds{10});
      reset(peers.far);
      write_one(stream);
      const auto told = reading.join();
      if (told == asio::error::eof) ++ends;
      if (told == asio::error::connection_reset) ++resets;
    }
    BOOST_TEST(ends == 0);
    BOOST_TEST(resets == times);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_reader_that_comes_after_the_writer_is_told_of_the_reset_once) {
  scheduler.spawn([&] {
    for (int i = 0; i < times; ++i) {
      tcp_pair peers;
      auto stream = stream_of(peers.near);
      peers.near = descriptor{};
      reset(peers.far);
      error_code written;
      while (!(written = write_one(stream))) stream.flush(written);
      BOOST_TEST(read_one(stream) == asio::error::connection_reset);
      BOOST_TEST(read_one(stream) == asio::error::eof);
    }
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(an_end_that_the_peer_has_sent_stays_an_end_whatever_a_writer_meets) {
  on_both_kinds([&](fibers::stream_socket& stream, descriptor& peer) {
    peer = descriptor{};
    for (int i = 0; i < 3; ++i) {
      write_one(stream);
      this_fiber::sleep_for(1ms);
    }
    // The answer to a write is a reset, so a later read may find that or the end.
    const auto told = read_one(stream);
    BOOST_TEST((told == asio::error::eof || told == asio::error::connection_reset));
    BOOST_TEST(read_one(stream) == asio::error::eof);
  });
}

BOOST_AUTO_TEST_CASE(a_write_after_ones_own_shutdown_is_a_broken_pipe_each_time) {
  on_both_kinds([&](fibers::stream_socket& stream, descriptor& peer) {
    stream.shutdown(asio::socket_base::shutdown_send);
    for (int i = 0; i < 5; ++i) {
      BOOST_TEST(write_one(stream) == asio::error::broken_pipe);
      this_fiber::sleep_for(1ms);
    }
    send_all(peer, "y");
    BOOST_TEST(!read_one(stream));
  });
}

BOOST_AUTO_TEST_CASE(what_was_written_arrives_though_a_cancelled_fiber_shuts_down) {
  on_both_kinds([&](fibers::stream_socket& stream, descriptor& peer) {
    auto writer = scheduler.spawn([&] {
      asio::write(stream, asio::buffer("hello", 5));
      scheduler.tasks().current()->cancel();
      stream.shutdown(asio::socket_base::shutdown_send);
    });
    BOOST_REQUIRE(writer.wait_for(patience));
    BOOST_TEST(write_one(stream) == asio::error::broken_pipe);
    stream.flush();
    BOOST_TEST(receive_all(peer, 10) == "hello");
  });
}

BOOST_AUTO_TEST_CASE(a_write_after_ones_own_shutdown_does_not_wait_for_room) {
  on_both_kinds([](fibers::stream_socket& stream, descriptor&) {
    const std::string much(1'000'000, 'x');
    error_code error;
    stream.expires_after(20ms);
    while (!error) stream.write_some(asio::buffer(much), error);
    BOOST_TEST(error == asio::error::timed_out);
    stream.shutdown(asio::socket_base::shutdown_send, error);
    stream.expires_after(patience);
    BOOST_TEST(write_one(stream) == asio::error::broken_pipe);
  });
}

BOOST_AUTO_TEST_CASE(after_a_reset_no_write_succeeds_any_more) {
  scheduler.spawn([&] {
    tcp_pair peers;
    auto stream = stream_of(peers.near);
    peers.near = descriptor{};
    reset(peers.far);
    error_code error;
    while (!(error = write_one(stream))) this_fiber::sleep_for(1ms);
    BOOST_TEST(error == asio::error::connection_reset);
    for (int i = 0; i < 5; ++i) {
      BOOST_TEST(write_one(stream) == asio::error::broken_pipe);
      this_fiber::sleep_for(1ms);
    }
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(flush_and_release_after_a_shutdown_are_no_errors) {
  on_both_kinds([&](fibers::stream_socket& stream, descriptor& peer) {
    asio::write(stream, asio::buffer("hello", 5));
    stream.shutdown(asio::socket_base::shutdown_send);
    stream.flush();
    BOOST_TEST(write_one(stream) == asio::error::broken_pipe);
    stream.flush();
    BOOST_TEST(receive_all(peer, 10) == "hello");
    const descriptor mine{stream.release()};
    BOOST_TEST(mine.get() >= 0);
  });
}

BOOST_AUTO_TEST_SUITE_END()
