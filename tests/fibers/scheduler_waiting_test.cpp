// The scheduler: waiting for time and for descriptors, and fairness.

#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include <tests/fibers/scheduler_fixture.hpp>
#include <tests/fibers/waits.hpp>

namespace {

// Yields until the loop has polled once. Precondition: a fiber waits for a descriptor.
void let_look(const waits& seen) {
  const int before = seen.count();
  for (int i = 0; i < fibers::task_queue::extended_round && seen.count() == before; ++i) {
    this_fiber::yield();
  }
  BOOST_TEST(seen.count() == before + 1);
}

// Expects that polls return no events. An event that nothing handles would come at each poll.
void expect_silence(const waits& seen) {
  for (int i = 0; i < 3; ++i) {
    let_look(seen);
    BOOST_TEST(seen.events() == 0);
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(waiting, scheduler_fixture)

BOOST_AUTO_TEST_CASE(a_fiber_that_only_yields_starves_neither_timers_nor_descriptors) {
  bool slept = false, received = false;
  connection peers;
  scheduler.spawn("receives", [&] { received = peers.read() == 'x'; });
  scheduler.spawn("sleeps", [&] {
    this_fiber::sleep_until(fibers::clock::now() - 1h);
    slept = true;
  });
  scheduler.spawn("yields", [&] {
    send_all(peers.far, "x");
    for (int i = 0; i < fibers::task_queue::extended_round; ++i) this_fiber::yield();
    BOOST_TEST(slept);
    BOOST_TEST(received);
  });
  scheduler.run();
}

// Counts how far the flood gets before the others are served, so the speed of the machine does not
// matter.
BOOST_AUTO_TEST_CASE(one_flooding_peer_does_not_starve_twenty_others) {
  constexpr int flood_size = 4000, begin = 100;
  connection flooding;
  send_all(flooding.far, std::string(flood_size, 'x'));
  std::list<connection> others(20);
  int flooded = 0;
  std::vector<int> seen;
  scheduler.spawn("flooded", [&] {
    while (flooded < flood_size) {
      flooding.read();
      if (++flooded != begin) continue;
      for (const auto& other : others) send_all(other.far, "x");
    }
  });
  for (auto& other : others) {
    scheduler.spawn("other", [&] {
      other.read();
      seen.push_back(flooded);
    });
  }
  scheduler.run();
  BOOST_TEST(seen.size() == others.size());
  for (const int when : seen) BOOST_TEST(when <= begin + 3 * fibers::task_queue::longest_burst);
}

// While one fiber has its turn, 450 events come. If a round took only some of them, the others
// would wait until 450 fibers had had their turns, again and again.
BOOST_AUTO_TEST_CASE(a_round_of_many_fibers_takes_as_many_events,
                     *boost::unit_test::enable_if<!fibers::sanitizer::thread>()) {
  constexpr int many = 450;
  std::list<connection> peers(many);
  int served = 0, rounds = 0;
  for (auto& each : peers) {
    scheduler.spawn("waits", [&] {
      each.read();
      ++served;
    });
  }
  for (int i = 0; i < many; ++i) {
    scheduler.spawn("busy", [&, i] {
      while (served < many) {
        this_fiber::yield();
        if (i == 0) ++rounds;
      }
    });
  }
  scheduler.spawn("writes", [&] {
    for (const auto& each : peers) send_all(each.far, "x");
  });
  scheduler.run();
  BOOST_TEST(rounds <= 4);
}

// The floods' bytes have come before, so all are ready all the time. With io_uring the reactor has
// the bytes, and to read them is no system call: a turn goes on for a whole burst.
BOOST_AUTO_TEST_CASE(hundreds_of_flooding_peers_do_not_starve_another,
                     *boost::unit_test::enable_if<!fibers::sanitizer::thread>()) {
  constexpr int many = 400, flood_size = 60, begin = 5 * many;
  std::list<connection> floods(many);
  connection other;
  int flooded = 0, served_at = 0;
  for (auto& flood : floods) {
    send_all(flood.far, std::string(flood_size, 'x'));
    scheduler.spawn("flooded", [&] {
      for (int i = 0; i < flood_size; ++i) {
        flood.read();
        if (++flooded == begin) send_all(other.far, "x");
      }
    });
  }
  scheduler.spawn("other", [&] {
    other.read();
    served_at = flooded;
  });
  scheduler.run();
  BOOST_TEST(flooded == many * flood_size);
  const bool in_bursts = scheduler.backend() == fibers::io::io_uring;
  BOOST_TEST(served_at - begin <= (in_bursts ? 2 * many * fibers::task_queue::longest_burst
                                             : 3 * fibers::task_queue::extended_round));
}

BOOST_AUTO_TEST_CASE(a_flood_does_not_starve_timers) {
  constexpr auto most = fibers::task_queue::longest_burst;
  connection flooding;
  bool slept = false;
  int flooded = 0;
  scheduler.spawn("sleeps", [&] {
    this_fiber::sleep_until(fibers::clock::now() - 1h);
    slept = true;
  });
  scheduler.spawn("flooded", [&] {
    for (; !slept && flooded <= most; ++flooded) {
      send_all(flooding.far, "xx");
      flooding.read();
      flooding.read();
    }
  });
  scheduler.run();
  BOOST_TEST(flooded <= most);
}

BOOST_AUTO_TEST_CASE(an_idle_scheduler_waits_once_and_until_the_next_deadline) {
  const waits seen;
  const auto deadline = fibers::clock::now() + 1h;
  connection silent, even_longer;
  fibers::tcp::listener listener{"127.0.0.1", 0};
  scheduler.spawn("reads longer", [&] {
    even_longer.stream.expires_at(deadline + 1s);
    even_longer.read();
  });
  scheduler.spawn("reads", [&] {
    silent.stream.expires_at(deadline);
    silent.read();
  });
  scheduler.spawn("accepts", [&] { listener.accept(); });
  const std::jthread ends_it{[&] {
    seen.until_asleep();
    scheduler.post([&] {
      BOOST_TEST(seen.count() == 1);
      BOOST_TEST(seen.end_at(deadline));
      scheduler.stop();
    });
  }};
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(without_a_deadline_an_idle_scheduler_waits_once_and_for_ever) {
  const waits seen;
  connection silent;
  scheduler.spawn("reads", [&] { silent.read(); });
  const std::jthread ends_it{[&] {
    seen.until_asleep();
    scheduler.post([&] {
      BOOST_TEST(seen.count() == 1);
      BOOST_TEST((seen.latest() == waits::time_point::max()));
      scheduler.stop();
    });
  }};
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(what_lies_in_a_sockets_error_queue_does_not_keep_the_loop_busy) {
  const tcp_pair peers;
  scheduler.spawn("reads", [&] {
    auto stream = fibers::tcp::stream::from_descriptor(::dup(peers.near.get()));
    char byte = 0;
    boost::system::error_code error;
    stream.read_some(boost::asio::buffer(&byte, 1), error);
    BOOST_TEST(!error);
  });
  scheduler.spawn("sends", [&] {
    this_fiber::sleep_for(1ms);
    put_into_error_queue(peers);
    const waits seen;
    this_fiber::sleep_for(30ms);
    BOOST_TEST(seen.count() <= 5);
    send_all(peers.far, "b");
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(an_error_queue_loses_no_bytes_and_keeps_no_writer_busy) {
  constexpr int messages = 100;
  const tcp_pair peers;
  put_into_error_queue(peers);
  const auto filled = fill(peers.near);
  const waits seen;
  auto stream = fibers::tcp::stream::from_descriptor(::dup(peers.near.get()));
  auto writing = scheduler.spawn("writes", [&] {
    stream.write_some(boost::asio::buffer("w", 1));
    stream.flush();
  });
  auto reading = scheduler.spawn("reads", [&] {
    std::string got(messages, '\0');
    boost::asio::read(stream, boost::asio::buffer(got));
    return got;
  });
  scheduler.spawn("peer", [&] {
    this_fiber::sleep_for(30ms);
    BOOST_TEST(seen.count() <= 8);
    for (int i = 0; i < messages; ++i) {
      send_all(peers.far, "r");
      this_fiber::yield();
    }
    BOOST_TEST(reading.join() == std::string(messages, 'r'));
    BOOST_TEST(receive_all(peers.far, filled).size() == filled);
    BOOST_REQUIRE(this_fiber::wait_readable_for(peers.far.get(), 10s));
    BOOST_TEST(receive_all(peers.far, 1) == "w");
    writing.join();
  });
  scheduler.run();
}

// The earlier deadline may expire and wake the loop once. The sleep after that is the last.
BOOST_AUTO_TEST_CASE(a_deadline_that_was_given_up_wakes_an_idle_scheduler_once) {
  const waits seen;
  const auto given_up = fibers::clock::now() + 20ms, deadline = given_up + 30ms;
  connection peers;
  scheduler.spawn("reads", [&] {
    char byte = 0;
    boost::system::error_code too_late;
    peers.stream.expires_at(given_up);
    peers.stream.read_some(boost::asio::buffer(&byte, 1), too_late);
    peers.stream.expires_never();
    const int before = seen.count();
    this_fiber::sleep_until(deadline);
    BOOST_TEST(seen.count() <= before + 2);
    BOOST_TEST(seen.end_by(deadline));
    BOOST_TEST((fibers::clock::now() >= deadline));
  });
  const std::jthread sends{[&] {
    seen.until_asleep();
    send_all(peers.far, "x");
  }};
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(errno_of_another_fiber_is_not_taken_for_an_operations_error) {
  const bound_socket nobody;
  bool asked = false;
  scheduler.spawn("sets errno", [&] {
    while (!asked) {
      errno = ENOSPC;
      this_fiber::yield();
    }
  });
  scheduler.spawn("is refused", [&] {
    fibers::tcp::stream refused;
    fibers::tcp::error_code error;
    refused.connect({boost::asio::ip::make_address("127.0.0.1"), nobody.port}, error);
    BOOST_TEST(error == boost::asio::error::connection_refused);
    asked = true;
  });
  scheduler.run();
}

// The duplicate stands for a parent process, or a service manager, that keeps the listener open.
BOOST_AUTO_TEST_CASE(a_closed_listener_that_lives_on_as_a_duplicate_wakes_nobody) {
  const listening_socket elsewhere;
  connection silent;  // the loop polls only while a fiber waits for a descriptor
  auto waiting = scheduler.spawn([&] { silent.read(); });
  scheduler.spawn([&] {
    fibers::stream_listener listener;
    listener.assign(::dup(elsewhere.socket.get()));
    auto accepting = scheduler.spawn([&] {
      boost::system::error_code error;
      listener.accept(error);
    });
    const waits seen;
    let_look(seen);
    listener.close();
    accepting.join();
    let_look(seen);
    const auto client = connected_to(elsewhere.port);
    expect_silence(seen);
    waiting.cancel();
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_descriptor_closed_under_its_waiter_does_not_deafen_the_loop) {
  local_pair closed, other;
  auto forlorn = scheduler.spawn([&] { this_fiber::wait_readable(closed.near.get()); });
  auto served = scheduler.spawn([&] { this_fiber::wait_readable(other.near.get()); });
  scheduler.spawn([&] {
    const waits seen;
    let_look(seen);
    closed.near = descriptor{};
    let_look(seen);  // select and poll report the closed descriptor
    expect_silence(seen);
    send_all(other.far, "x");
    served.join();
    forlorn.cancel();
    try {
      forlorn.join();
    } catch (const fibers::cancelled&) {
    } catch (const boost::system::system_error&) {
    }
  });
  scheduler.run();
}

BOOST_AUTO_TEST_SUITE_END()
