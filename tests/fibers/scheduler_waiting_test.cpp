// The scheduler: what waits for time and for descriptors, and that nobody starves.
#include <fibers/semaphore.hpp>

#include <sys/eventfd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <list>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include <tests/fibers/scheduler_fixture.hpp>
#include <tests/fibers/waits.hpp>

namespace {

// Until the loop has looked at its descriptors once. A fiber must wait for one of them.
void let_look(const waits& seen) {
  const int before = seen.count();
  for (int i = 0; i < fibers::task_queue::extended_round && seen.count() == before; ++i) {
    this_fiber::yield();
  }
  BOOST_TEST(seen.count() == before + 1);
}

// An event that nobody takes would come at each look.
void expect_silence(const waits& seen) {
  for (int i = 0; i < 3; ++i) {
    let_look(seen);
    BOOST_TEST(seen.events() == 0);
  }
}

// The others look at levels, where the queue is one for ever.
boost::test_tools::assertion_result events_are_edges(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result are{backend() == fibers::io::epoll ||
                                          backend() == fibers::io::io_uring};
  are.message() << "this reactor looks at levels";
  return are;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(waiting, scheduler_fixture)

BOOST_AUTO_TEST_CASE(sleepers_wake_in_order_and_never_early) {
  std::vector<int> order;
  for (const int ms : {30, 5, 210, 0, 15, 1}) {
    scheduler.spawn([ms, &order] {
      const auto begin = fibers::clock::now();
      this_fiber::sleep_for(std::chrono::milliseconds{ms});
      BOOST_TEST((fibers::clock::now() - begin >= std::chrono::milliseconds{ms}));
      order.push_back(ms);
    });
  }
  scheduler.run();
  BOOST_TEST((order == std::vector{0, 1, 5, 15, 30, 210}));
}

BOOST_AUTO_TEST_CASE(what_lies_in_the_past_is_not_waited_for) {
  const waits seen;
  scheduler.spawn([] {
    this_fiber::sleep_until(fibers::clock::now() - 1h);
    this_fiber::sleep_until(fibers::clock::time_point::min());
    this_fiber::sleep_for(-1ns);
    this_fiber::sleep_for(fibers::clock::duration::min());
  });
  scheduler.run();
  BOOST_TEST(seen.sleeps() == 0);
}

BOOST_AUTO_TEST_CASE(a_sleep_to_the_end_of_time_can_be_cancelled) {
  for (const auto end :
       {fibers::clock::duration::max(), fibers::clock::duration{24h * 366 * 100}}) {
    const waits seen;
    auto sleeper = scheduler.spawn([end] { this_fiber::sleep_for(end); });
    const std::jthread canceller{[&] {
      seen.until_asleep();
      scheduler.post([&] {
        BOOST_TEST(seen.count() == 1);
        sleeper.cancel();
      });
    }};
    scheduler.run();
    BOOST_TEST(sleeper.done());
  }
}

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

// A count, not a time: how far the flood gets before the others are seen.
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

// The kernel tells there that it does not need the bytes any more. Nobody asked.
BOOST_AUTO_TEST_CASE(what_lies_in_a_sockets_error_queue_does_not_keep_the_loop_busy,
                     *boost::unit_test::precondition(events_are_edges)) {
  const tcp_pair peers;
  const int on = 1;
  BOOST_REQUIRE(::setsockopt(peers.near.get(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0);
  scheduler.spawn("reads", [&] {
    auto stream = fibers::tcp::stream::from_descriptor(::dup(peers.near.get()));
    char byte = 0;
    boost::system::error_code error;
    stream.read_some(boost::asio::buffer(&byte, 1), error);
    BOOST_TEST(!error);
  });
  scheduler.spawn("sends", [&] {
    this_fiber::sleep_for(1ms);
    BOOST_REQUIRE(::send(peers.near.get(), "a", 1, MSG_ZEROCOPY) == 1);
    BOOST_TEST(receive_all(peers.far, 1) == "a");
    const waits seen;
    this_fiber::sleep_for(30ms);
    BOOST_TEST(seen.count() <= 5);
    send_all(peers.far, "b");
  });
  scheduler.run();
}

// It may ring, and the loop look once more; the sleep that follows is the last.
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

BOOST_AUTO_TEST_CASE(a_fiber_waits_for_an_eventfd) {
  const descriptor event{::eventfd(0, EFD_CLOEXEC)};
  int seen = 0;
  scheduler.spawn("waits", [&] {
    for (int i = 0; i < 3; ++i) {
      this_fiber::wait_readable(event.get());
      std::uint64_t count = 0;
      BOOST_TEST(::read(event.get(), &count, sizeof count) == 8);
      ++seen;
    }
  });
  scheduler.spawn("signals", [&] {
    for (int i = 0; i < 3; ++i) {
      this_fiber::sleep_for(1ms);
      const std::uint64_t one = 1;
      BOOST_TEST(::write(event.get(), &one, sizeof one) == 8);
    }
  });
  scheduler.run();
  BOOST_TEST(seen == 3);
}

BOOST_AUTO_TEST_CASE(two_fibers_wait_for_one_descriptor_to_read_and_to_write) {
  const tcp_pair peers;
  bool readable = false, writable = false;
  scheduler.spawn("reads", [&] {
    this_fiber::wait_readable(peers.near.get());
    readable = true;
  });
  scheduler.spawn("writes", [&] {
    this_fiber::wait_writable(peers.near.get());
    writable = true;
    send_all(peers.far, "x");
  });
  scheduler.run();
  BOOST_TEST(readable);
  BOOST_TEST(writable);
}

BOOST_AUTO_TEST_CASE(waiting_for_what_is_no_descriptor_throws) {
  scheduler.spawn([] { BOOST_CHECK_THROW(this_fiber::wait_readable(-1), std::system_error); });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_leaves_the_descriptor_usable) {
  const tcp_pair peers;
  auto waiter = scheduler.spawn([&] { this_fiber::wait_readable(peers.near.get()); });
  scheduler.spawn([&] {
    this_fiber::yield();
    waiter.cancel();
    BOOST_CHECK_THROW(waiter.join(), fibers::cancelled);
    send_all(peers.far, "x");
    this_fiber::wait_readable(peers.near.get());
  });
  scheduler.run();
  BOOST_TEST(receive_all(peers.near, 1) == "x");
}

BOOST_AUTO_TEST_CASE(a_fiber_is_joined_for_as_long_as_allowed) {
  scheduler.spawn([&] {
    fibers::semaphore may_end{0};
    auto working = scheduler.spawn([&] {
      may_end.acquire();
      return 42;
    });
    BOOST_TEST(!working.wait_for(0ms));
    const auto begin = fibers::clock::now();
    BOOST_TEST(!working.wait_for(5ms));
    BOOST_TEST((fibers::clock::now() - begin >= 5ms));
    BOOST_TEST(!working.wait_until(fibers::clock::time_point::min()));
    may_end.release();
    BOOST_TEST(working.wait_for(1h));
    BOOST_TEST(working.wait_for(0ms));
    BOOST_TEST(working.join() == 42);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(who_is_cancelled_while_it_joins_with_a_deadline_leaves_the_other_alone) {
  scheduler.spawn([&] {
    fibers::semaphore may_end{0};
    auto working = scheduler.spawn([&] { may_end.acquire(); });
    auto impatient = scheduler.spawn([&] { return working.wait_for(1h); });
    this_fiber::yield();
    impatient.cancel();
    BOOST_CHECK_THROW(impatient.join(), fibers::cancelled);
    may_end.release();
    BOOST_TEST(working.wait_for(1h));
    BOOST_CHECK_NO_THROW(working.join());
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(several_wait_for_one_fiber_and_all_are_told) {
  scheduler.spawn([&] {
    fibers::semaphore may_end{0};
    auto working = scheduler.spawn([&] {
      may_end.acquire();
      return 42;
    });
    auto gives_up = scheduler.spawn([&] { return working.wait_for(1ms); });
    auto joins = scheduler.spawn([&] { return working.join(); });
    auto waits = scheduler.spawn([&] { return working.wait_for(1h); });
    BOOST_TEST(!gives_up.join());
    may_end.release();
    BOOST_TEST(joins.join() == 42);
    BOOST_TEST(waits.join());
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(only_a_fiber_joins_with_a_deadline) {
  auto idle = scheduler.spawn([] {});
  BOOST_CHECK_THROW(idle.wait_for(1ms), std::logic_error);
  scheduler.run();
  BOOST_TEST(idle.wait_for(1ms));
}

// A parent process, or who activates services by their sockets, keeps the listener open.
BOOST_AUTO_TEST_CASE(a_closed_listener_that_lives_on_as_a_duplicate_wakes_nobody) {
  const listening_socket elsewhere;
  connection silent;  // the loop looks at its descriptors while a fiber waits for one
  auto waiting = scheduler.spawn([&] { silent.read(); });
  scheduler.spawn([&] {
    fibers::stream_listener listener{::dup(elsewhere.socket.get())};
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
    let_look(seen);  // select and poll are told
    expect_silence(seen);
    send_all(other.far, "x");
    served.join();
    forlorn.cancel();
    try {
      forlorn.join();
    } catch (const fibers::cancelled&) {
    } catch (const std::system_error&) {
    }
  });
  scheduler.run();
}

BOOST_AUTO_TEST_SUITE_END()
