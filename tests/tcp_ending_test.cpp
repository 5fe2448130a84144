// tcp: how calls end that would wait: at a deadline, by a cancellation, by a close.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tcp_fixture.hpp"

namespace {

// Ends with the error of a read that is given `time`; never early.
error_code read_within(tcp::stream& stream, fibers::clock::duration time) {
  const auto begin = fibers::clock::now();
  char byte = 0;
  error_code error;
  stream.expires_after(time);
  stream.read_some(asio::buffer(&byte, 1), error);
  const auto took = fibers::clock::now() - begin;
  if (error == asio::error::timed_out) {
    BOOST_TEST((took >= time));
    BOOST_TEST((took < std::max(time, fibers::clock::duration{}) + 1s));
  }
  return error;
}

// Keeps a connection open until the other side is done with it.
void wait_for(const bool& done) {
  while (!done) this_fiber::sleep_for(1ms);
}

// Writes until cancelled or out of time.
error_code write_for_ever(tcp::stream& stream) {
  const std::string bytes(1 << 20, 'x');
  error_code error;
  while (!error) stream.write_some(asio::buffer(bytes), error);
  return error;
}

// A listener whose queue is full: connecting to it waits.
struct full_listener : bound_socket {
  full_listener() {
    checked(::listen(socket.get(), 0), "listen");
    const auto address = loopback(port);
    for (int i = 0; i < 3; ++i) {
      waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      ::connect(waiting.back().get(), generic(address), sizeof address);
    }
    std::this_thread::sleep_for(5ms);
  }
  tcp::endpoint endpoint() const { return {asio::ip::make_address("127.0.0.1"), port}; }
  std::vector<descriptor> waiting;
};

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
        if (received < 12) BOOST_TEST_MESSAGE("the machine stood still for " << period.count());
        client.expires_never();
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

// A reader that was closed under leaves the alarm to whoever reads the next connection.
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
        this_fiber::sleep_for(5ms);
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

BOOST_AUTO_TEST_CASE(closing_under_a_reader_and_a_writer_aborts_them) {
  bool done = false;
  talk([&](tcp::stream&) { wait_for(done); },
       [&](tcp::stream& client) {
         auto reading = scheduler.spawn([&] { return read_within(client, patience); });
         auto writing = scheduler.spawn([&] { return write_for_ever(client); });
         this_fiber::sleep_for(5ms);
         client.close();
         BOOST_TEST(reading.join() == asio::error::operation_aborted);
         const auto error = writing.join();
         BOOST_TEST((error == asio::error::operation_aborted ||
                     error == asio::error::bad_descriptor));  // it was between two calls
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

// The closed operation is still in the reactor's hands when the cancellation arrives.
// Where the kernel only says when to try. (io_uring has received what there is.)
BOOST_AUTO_TEST_CASE(who_leaves_bytes_behind_makes_way_and_can_be_closed_under_meanwhile) {
  if (scheduler.backend() == fibers::io::io_uring) return;
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

BOOST_AUTO_TEST_SUITE_END()
