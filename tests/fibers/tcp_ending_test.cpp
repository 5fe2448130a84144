// tcp: how waiting calls end: at a deadline, by a cancellation, or by a close.
#include <algorithm>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <netinet/tcp.h>

#include <tests/fibers/tcp_fixture.hpp>
#include <tests/fibers/waits.hpp>

namespace {

// Reads with `time` as the limit and returns the error. If the read timed out, expects that it did
// not end early, and that no wait in the kernel was to last longer.
error_code read_within(tcp::stream& stream, fibers::clock::duration time) {
  const waits seen;
  const auto begin = fibers::clock::now();
  char byte = 0;
  error_code error;
  stream.expires_after(time);
  const auto latest = fibers::saturating_add(fibers::clock::now(), time);
  stream.read_some(asio::buffer(&byte, 1), error);
  const auto took = fibers::clock::now() - begin;
  if (error == asio::error::timed_out) {
    BOOST_TEST((took >= time));
    BOOST_TEST(seen.end_by(latest));
  }
  return error;
}

// Sleeps until `done`, which keeps the caller's connection open.
void wait_for(const bool& done) {
  while (!done) this_fiber::sleep_for(1ms);
}

// Waits until the loop has slept, which means that all other fibers are parked.
void let_all_park() {
  const waits seen;
  while (seen.sleeps() == 0) this_fiber::sleep_for(1ms);
}

// Writes until a write fails, and returns the error.
error_code write_for_ever(tcp::stream& stream) {
  const std::string bytes(1 << 20, 'x');
  error_code error;
  while (!error) stream.write_some(asio::buffer(bytes), error);
  return error;
}

// io_uring receives before it is asked to, and copies what is sent into its own buffers.
boost::test_tools::assertion_result only_tells_when_to_try(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result tells{backend() != fibers::io::io_uring};
  tells.message() << "io_uring does the operation itself";
  return tells;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(deadlines, tcp_fixture)

BOOST_AUTO_TEST_CASE(a_silent_peer_is_waited_for_as_long_as_allowed) {
  talk([](tcp::stream& server) { read_exactly(server, 1); },
       [](tcp::stream& client) {
         for (const auto time : {0ms, 1ms, 30ms, 220ms}) {
           BOOST_TEST(read_within(client, time) == asio::error::timed_out);
         }
         BOOST_TEST(read_within(client, fibers::clock::duration::min()) == asio::error::timed_out);
         client.expires_at(fibers::clock::time_point::min());
         char byte = 0;
         error_code error;
         client.read_some(asio::buffer(&byte, 1), error);
         BOOST_TEST(error == asio::error::timed_out);
         client.expires_never();
         write(client, "x");
       });
}

BOOST_AUTO_TEST_CASE(a_deadline_stays_passed_until_it_is_moved) {
  talk([](tcp::stream& server) { write(server, read_exactly(server, 1)); },
       [](tcp::stream& client) {
         BOOST_TEST(read_within(client, 1ms) == asio::error::timed_out);
         error_code error;
         client.write_some(asio::buffer("x", 1), error);
         BOOST_TEST(error == asio::error::timed_out);
         client.expires_after(patience);
         write(client, "y");
         BOOST_TEST(read_exactly(client, 1) == "y");
       });
}

BOOST_AUTO_TEST_CASE(a_deadline_can_be_pushed_further_while_a_fiber_waits) {
  talk(
      [](tcp::stream& server) {
        this_fiber::sleep_for(60ms);
        write(server, "late");
      },
      [&](tcp::stream& client) {
        client.expires_after(20ms);
        scheduler.spawn("pushes", [&] { client.expires_after(patience); });
        BOOST_TEST(read_exactly(client, 4) == "late");
      });
}

BOOST_AUTO_TEST_CASE(a_deadline_can_be_drawn_nearer_while_a_fiber_waits) {
  talk([](tcp::stream& server) { read_exactly(server, 1); },
       [&](tcp::stream& client) {
         scheduler.spawn("draws nearer", [&] { client.expires_after(5ms); });
         char byte = 0;
         error_code error;
         client.read_some(asio::buffer(&byte, 1), error);
         BOOST_TEST(error == asio::error::timed_out);
         client.expires_never();
         write(client, "x");
       });
}

BOOST_AUTO_TEST_CASE(bytes_that_race_the_deadline_are_never_lost) {
  constexpr int races = 100;
  talk(
      [](tcp::stream& server) {
        for (int i = 0; i < races; ++i) {
          read_exactly(server, 1);
          this_fiber::sleep_for(1ms);
          write(server, std::string(1, static_cast<char>(i)));
        }
      },
      [](tcp::stream& client) {
        for (int i = 0; i < races; ++i) {
          client.expires_after(patience);
          write(client, "x");
          char byte = -1;
          error_code error;
          client.expires_after(1ms + i * 2us);
          const auto got = client.read_some(asio::buffer(&byte, 1), error);
          BOOST_TEST((got == 1 || error == asio::error::timed_out));
          client.expires_after(patience);
          if (got == 0) byte = read_exactly(client, 1)[0];
          BOOST_TEST(byte == static_cast<char>(i));
        }
      });
}

BOOST_AUTO_TEST_CASE(writing_accepting_and_connecting_have_deadlines_too) {
  const full_listener full;
  bool done = false;
  talk([&](tcp::stream&) { wait_for(done); },
       [&](tcp::stream& client) {
         client.expires_after(20ms);
         BOOST_TEST(write_for_ever(client) == asio::error::timed_out);
         error_code error;
         listener.expires_after(5ms);
         listener.accept(error);
         BOOST_TEST(error == asio::error::timed_out);
         tcp::stream connecting;
         connecting.expires_after(5ms);
         connecting.connect(full.endpoint(), error);
         BOOST_TEST(error == asio::error::timed_out);
         BOOST_TEST(!connecting.is_open());
         BOOST_CHECK_THROW(tcp::connect_for("127.0.0.1", full.port, 5ms),
                           boost::system::system_error);
         done = true;
       });
}

BOOST_AUTO_TEST_CASE(a_deadline_moves_with_its_stream) {
  talk([](tcp::stream& server) { read_exactly(server, 1); },
       [](tcp::stream& client) {
         client.expires_after(10ms);
         tcp::stream moved{std::move(client)};
         BOOST_TEST(!client.is_open());
         char byte = 0;
         error_code error;
         moved.read_some(asio::buffer(&byte, 1), error);
         BOOST_TEST(error == asio::error::timed_out);
         client = std::move(moved);
         client.expires_never();
         write(client, "x");
       });
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_deadlines_leave_nothing_behind) {
  talk([](tcp::stream& server) { read_exactly(server, 1); },
       [&](tcp::stream& client) {
         const auto before = scheduler.timers().size();
         for (int i = 0; i < 100'000; ++i) {
           client.expires_after(10s + i * 1us);
           if (i % 3 == 0) client.expires_never();
         }
         client.expires_never();
         BOOST_TEST(scheduler.timers().size() <= before);
         write(client, "x");
       });
  BOOST_TEST(scheduler.timers().empty());
}

BOOST_AUTO_TEST_CASE(an_idle_limit_passes_after_silence_and_not_while_bytes_flow) {
  constexpr auto period = 40ms;
  talk(
      [](tcp::stream& server) {
        for (int i = 0; i < 12; ++i) {
          write(server, "x");
          this_fiber::sleep_for(10ms);
        }
        read_exactly(server, 1);
      },
      [&](tcp::stream& client) {
        client.expires_when_idle(period);
        auto last = fibers::clock::now();
        error_code error;
        char byte = 0;
        int received = 0;
        for (; client.read_some(asio::buffer(&byte, 1), error) != 0; ++received) {
          last = fibers::clock::now();
        }
        BOOST_TEST(error == asio::error::timed_out);
        BOOST_TEST((fibers::clock::now() - last >= period));
        client.expires_never();
        if (received < 12) {  // unread bytes would turn the close into a reset
          BOOST_TEST_MESSAGE("the machine stood still for " << period.count() << " ms");
          read_exactly(client, static_cast<std::size_t>(12 - received));
        }
        write(client, "x");
      });
}

BOOST_AUTO_TEST_CASE(the_shortest_idle_limit_passes_as_well) {
  talk([](tcp::stream& server) { read_exactly(server, 1); },
       [](tcp::stream& client) {
         for (const auto period : {0ns, 1ns, 15ns, -5ns}) {
           char byte = 0;
           error_code error;
           client.expires_when_idle(period);
           client.read_some(asio::buffer(&byte, 1), error);
           BOOST_TEST(error == asio::error::timed_out);
         }
         client.expires_never();
         write(client, "x");
       });
}

// The limit of a stream wakes the fiber that reads. When the first reader ends, the second one
// waits already, and the limit must still wake that one.
BOOST_AUTO_TEST_CASE(a_reconnected_stream_keeps_its_deadline) {
  const listening_socket silent;
  const tcp::endpoint where{asio::ip::make_address("127.0.0.1"), silent.port};
  scheduler.spawn([&] {
    tcp::stream stream;
    stream.connect(where);
    auto first = scheduler.spawn([&] { return read_within(stream, patience); });
    this_fiber::yield();
    stream.close();
    stream.connect(where);
    BOOST_TEST(read_within(stream, 20ms) == asio::error::timed_out);
    BOOST_TEST(first.join() == asio::error::operation_aborted);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(endings, tcp_fixture)

BOOST_AUTO_TEST_CASE(a_cancelled_accept_leaves_the_listener_usable) {
  auto accepting = scheduler.spawn([&] { listener.accept(); });
  scheduler.spawn([&] {
    this_fiber::yield();
    accepting.cancel();
    BOOST_CHECK_THROW(accepting.join(), fibers::cancelled);
  });
  scheduler.run();
  talk([](tcp::stream& server) { write(server, "x"); },
       [](tcp::stream& client) { BOOST_TEST(read_exactly(client, 1) == "x"); });
}

BOOST_AUTO_TEST_CASE(a_cancelled_read_leaves_the_stream_usable) {
  talk([](tcp::stream& server) { write(server, read_exactly(server, 1)); },
       [&](tcp::stream& client) {
         int present = 0;
         auto reading = scheduler.spawn([&] {
           const guest me{present};
           read_exactly(client, 1);
         });
         this_fiber::yield();
         BOOST_TEST(present == 1);
         reading.cancel();
         BOOST_CHECK_THROW(reading.join(), fibers::cancelled);
         BOOST_TEST(present == 0);
         write(client, "x");
         BOOST_TEST(read_exactly(client, 1) == "x");
       });
}

BOOST_AUTO_TEST_CASE(a_cancelled_write_leaves_the_stream_usable) {
  bool done = false;
  talk(
      [&](tcp::stream& server) {
        write(server, "x");
        wait_for(done);
      },
      [&](tcp::stream& client) {
        auto writing = scheduler.spawn([&] { return write_for_ever(client); });
        BOOST_TEST(read_exactly(client, 1) == "x");
        let_all_park();
        writing.cancel();
        BOOST_CHECK_THROW(writing.join(), fibers::cancelled);
        BOOST_TEST(read_within(client, 1ms) == asio::error::timed_out);
        done = true;
      });
}

BOOST_AUTO_TEST_CASE(a_cancelled_connect_leaves_the_stream_usable) {
  const full_listener full;
  tcp::stream client;
  auto connecting = scheduler.spawn([&] { client.connect(full.endpoint()); });
  scheduler.spawn([&] { write(*std::make_unique<tcp::stream>(listener.accept()), "x"); });
  scheduler.spawn([&] {
    this_fiber::sleep_for(1ms);
    connecting.cancel();
    BOOST_CHECK_THROW(connecting.join(), fibers::cancelled);
    client.connect(listener.local_endpoint());
    BOOST_TEST(read_exactly(client, 1) == "x");
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_connect_that_is_cancelled_closes_the_stream) {
  const full_listener full;
  tcp::stream client;
  auto connecting = scheduler.spawn([&] { client.connect(full.endpoint()); });
  scheduler.spawn([&] {
    this_fiber::sleep_for(1ms);
    BOOST_TEST(client.is_open());
    connecting.cancel();
    BOOST_CHECK_THROW(connecting.join(), fibers::cancelled);
    BOOST_TEST(!client.is_open());
    error_code error;
    client.write_some(asio::buffer("x", 1), error);
    BOOST_TEST(error == asio::error::bad_descriptor);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_connect_outside_of_a_fiber_leaves_nothing_open) {
  tcp::stream client;
  BOOST_CHECK_THROW(client.connect(listener.local_endpoint()), std::logic_error);
  BOOST_TEST(!client.is_open());
}

BOOST_AUTO_TEST_CASE(closing_under_a_reader_and_a_writer_aborts_them) {
  bool done = false;
  talk([&](tcp::stream&) { wait_for(done); },
       [&](tcp::stream& client) {
         auto reading = scheduler.spawn([&] { return read_within(client, patience); });
         auto writing = scheduler.spawn([&] { return write_for_ever(client); });
         let_all_park();
         client.close();
         BOOST_TEST(reading.join() == asio::error::operation_aborted);
         BOOST_TEST(writing.join() == asio::error::operation_aborted);
         done = true;
       });
}

BOOST_AUTO_TEST_CASE(closing_a_listener_aborts_its_accept) {
  scheduler.spawn([&] {
    error_code error;
    listener.accept(error);
    BOOST_TEST(error == asio::error::operation_aborted);
    listener.accept(error);
    BOOST_TEST(error == asio::error::bad_descriptor);
  });
  scheduler.spawn([&] { listener.close(); });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(who_leaves_bytes_behind_makes_way_and_can_be_closed_under_meanwhile,
                     *boost::unit_test::precondition(only_tells_when_to_try)) {
  std::string order;
  talk([&](tcp::stream& stream) { write(stream, "1234"); },
       [&](tcp::stream& stream) {
         char byte;
         error_code error;
         while (stream.read_some(asio::buffer(&byte, 1), error) == 1) {
           order += byte;
           scheduler.spawn([&, last = byte == '3'] {
             order += 'o';
             if (last) stream.close();
           });
         }
         BOOST_TEST(error == asio::error::operation_aborted);
       });
  BOOST_TEST(order == "1o2o3o");
}

BOOST_AUTO_TEST_CASE(what_was_written_arrives_though_the_stream_and_the_scheduler_end) {
  constexpr std::size_t size = 50'001;
  tcp_pair peers;
  const int small = 8192;
  ::setsockopt(peers.far.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  ::setsockopt(peers.near.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  std::string arrived;
  const waits seen;
  std::atomic<bool> ended{false};
  std::jthread reader{[&] {
    while (!ended && !seen.asleep()) std::this_thread::yield();
    arrived = receive_all(peers.far, size);
  }};
  {
    fibers::scheduler brief{backend()};
    brief.spawn([&] {
      auto stream = tcp::stream::from_descriptor(::dup(peers.near.get()));
      peers.near = descriptor{};
      write(stream, std::string(size, 'x'));
    });
    brief.run();
  }
  ended = true;
  reader.join();
  BOOST_TEST(arrived.size() == size);
}

// The write has timed out, so the close drops the unsent bytes, and the scheduler does not wait for
// them.
BOOST_AUTO_TEST_CASE(a_peer_that_takes_nothing_does_not_hold_up_the_end_of_the_scheduler) {
  tcp_pair peers;
  std::optional<fibers::scheduler> brief{std::in_place, backend()};
  brief->spawn([&] {
    auto stream = tcp::stream::from_descriptor(::dup(peers.near.get()));
    stream.expires_after(20ms);
    BOOST_TEST(write_for_ever(stream) == asio::error::timed_out);
  });
  brief->run();
  const waits seen;
  brief.reset();
  BOOST_TEST(seen.sleeps() == 0);
}

BOOST_AUTO_TEST_CASE(shutting_down_where_there_is_no_room_waits_for_nothing,
                     *boost::unit_test::precondition(only_tells_when_to_try)) {
  bool done = false;
  talk([&](tcp::stream&) { wait_for(done); },
       [&](tcp::stream& client) {
         client.expires_after(20ms);
         write_for_ever(client);
         client.expires_after(patience);
         const waits seen;
         client.shutdown(asio::socket_base::shutdown_send);
         BOOST_TEST(seen.count() == 0);
         done = true;
       });
}

BOOST_AUTO_TEST_CASE(a_destructor_of_a_cancelled_fiber_can_shut_down) {
  struct says_goodbye {
    tcp::stream& stream;
    ~says_goodbye() {
      error_code ignored;
      stream.shutdown(asio::socket_base::shutdown_send, ignored);
    }
  };
  talk(
      [](tcp::stream& server) {
        char byte = 0;
        error_code error;
        server.read_some(asio::buffer(&byte, 1), error);
        BOOST_TEST(error == asio::error::eof);
        write(server, "x");
      },
      [&](tcp::stream& client) {
        auto leaving = scheduler.spawn([&] {
          const says_goodbye last{client};
          scheduler.tasks().park();  // never throws, so no exception is in flight afterwards
        });
        this_fiber::yield();
        leaving.cancel();
        leaving.join();
        BOOST_TEST(read_exactly(client, 1) == "x");
      });
}

BOOST_AUTO_TEST_CASE(a_reset_is_told_to_who_writes_or_to_who_shuts_down) {
  tcp_pair peers;
  scheduler.spawn([&] {
    auto stream = tcp::stream::from_descriptor(::dup(peers.near.get()));
    peers.near = descriptor{};
    reset(peers.far);
    error_code written, shut;
    stream.write_some(asio::buffer("x", 1), written);
    this_fiber::sleep_for(1ms);
    stream.shutdown(asio::socket_base::shutdown_send, shut);
    BOOST_TEST((written ? written : shut) == asio::error::connection_reset);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_connect_that_another_fiber_replaced_leaves_the_new_connection_alone) {
  const full_listener full;
  scheduler.spawn([&] { write(*std::make_unique<tcp::stream>(listener.accept()), "x"); });
  scheduler.spawn([&] {
    tcp::stream stream;
    error_code first;
    auto connecting = scheduler.spawn([&] { stream.connect(full.endpoint(), first); });
    this_fiber::sleep_for(1ms);
    stream.close();
    stream.connect(listener.local_endpoint());
    connecting.join();
    BOOST_TEST(first == asio::error::operation_aborted);
    BOOST_TEST(read_exactly(stream, 1) == "x");
  });
  scheduler.run();
}

// The reactor has not returned the closed operation yet when the cancellation arrives.
BOOST_AUTO_TEST_CASE(a_reader_can_be_closed_under_and_cancelled_in_one_moment) {
  bool done = false;
  talk([&](tcp::stream&) { wait_for(done); },
       [&](tcp::stream& client) {
         int present = 0;
         auto reading = scheduler.spawn([&] {
           const guest me{present};
           read_exactly(client, 1);
         });
         this_fiber::yield();
         client.close();
         reading.cancel();
         BOOST_CHECK_THROW(reading.join(), fibers::cancelled);
         BOOST_TEST(present == 0);
         done = true;
       });
}

// --- limits and schedulers -------------------------------------------------------------------

namespace {

// Expects that a read of a stream with a silent peer ends at the limit.
void passes(tcp::stream& silent) {
  char byte = 0;
  error_code error;
  silent.read_some(asio::buffer(&byte, 1), error);
  BOOST_TEST(error == asio::error::timed_out);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_stream_that_had_a_limit_elsewhere_gets_one_where_it_connects_again) {
  const listening_socket peer;
  const tcp::endpoint there{asio::ip::address_v4::loopback(), peer.port};
  tcp::stream stream;
  auto first = std::make_unique<fibers::scheduler>(backend());
  first->spawn([&] {
    stream.connect(there);
    stream.expires_after(1h);
    stream.close();
  });
  first->run();
  for (const bool ended : {false, true}) {
    if (ended) first.reset();
    fibers::scheduler second{backend()};
    second.spawn([&] {
      stream.connect(there);
      stream.expires_after(1ms);
      passes(stream);
      stream.close();
    });
    second.run();
    BOOST_TEST(second.timers().empty());
  }
}

BOOST_AUTO_TEST_CASE(a_limit_that_was_set_before_connecting_goes_along) {
  const listening_socket peer;
  const tcp::endpoint there{asio::ip::address_v4::loopback(), peer.port};
  fibers::scheduler first{backend()};
  tcp::stream stream;
  stream.expires_after(300ms);
  BOOST_TEST(first.timers().size() == 1u);
  fibers::scheduler second{backend()};
  second.spawn([&] {
    stream.connect(there);
    BOOST_TEST(first.timers().empty());
    BOOST_TEST(second.timers().size() == 1u);
    passes(stream);
    stream.close();
  });
  second.run();
}

BOOST_AUTO_TEST_CASE(a_limit_that_was_set_under_a_scheduler_that_has_ended_is_forgotten) {
  const listening_socket peer;
  tcp::stream stream;
  {
    fibers::scheduler first{backend()};
    stream.expires_after(1ms);
  }
  fibers::scheduler second{backend()};
  second.spawn([&] {
    stream.connect({asio::ip::address_v4::loopback(), peer.port});
    stream.expires_after(1h);
    stream.expires_never();
    stream.close();
  });
  second.run();
  BOOST_TEST(second.timers().empty());
}

BOOST_AUTO_TEST_CASE(a_limit_counts_where_its_stream_is_whoever_was_made_later) {
  const listening_socket peer;
  tcp::stream stream;
  scheduler.spawn([&] { stream.connect({asio::ip::address_v4::loopback(), peer.port}); });
  scheduler.run();
  const fibers::scheduler newer{backend()};
  stream.expires_after(1ms);
  scheduler.spawn([&] {
    passes(stream);
    stream.close();
  });
  scheduler.run();
}

// As in a main() that has its scheduler first. AddressSanitizer sees it if a call that waits
// touches its socket again.
BOOST_AUTO_TEST_CASE(what_fibers_wait_for_may_go_with_the_scope_that_an_exception_leaves) {
  const auto throws_while_fibers_wait = [](fibers::clock::duration time) {
    fibers::scheduler short_lived{backend()};
    tcp::listener accepts{"127.0.0.1", 0};
    tcp::stream reads, writes;
    std::array<connection, 2> pairs;
    reads = std::move(pairs[0].stream);
    writes = std::move(pairs[1].stream);
    accepts.expires_after(time);
    reads.expires_after(time);
    writes.expires_after(time);
    short_lived.spawn([&] { accepts.accept(); });
    short_lived.spawn([&] {
      char byte = 0;
      reads.read_some(asio::buffer(&byte, 1));
    });
    short_lived.spawn([&] {
      const std::vector<char> much(4 << 20);
      for (;;) writes.write_some(asio::buffer(much));
    });
    short_lived.spawn([] {
      this_fiber::sleep_for(1ms);
      throw std::runtime_error{"mine"};
    });
    short_lived.run();
  };
  BOOST_CHECK_THROW(throws_while_fibers_wait(1h), std::runtime_error);
  BOOST_CHECK_THROW(throws_while_fibers_wait(fibers::clock::duration::max()), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()
