// this_fiber: names, ids and stop tokens, sleeping, and waiting for descriptors.
#include <fibers/this_fiber.hpp>

#include <sys/eventfd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <tests/fibers/scheduler_fixture.hpp>
#include <tests/fibers/waits.hpp>

BOOST_FIXTURE_TEST_SUITE(this_fiber_facts, scheduler_fixture)

BOOST_AUTO_TEST_CASE(a_fiber_knows_its_name_and_id) {
  std::vector<std::uint64_t> ids;
  for (const std::string name : {"one", "two"}) {
    scheduler.spawn(name, [&ids, name] {
      ids.push_back(this_fiber::get_id());
      BOOST_TEST(this_fiber::get_name() == name);
    });
  }
  scheduler.run();
  BOOST_TEST(ids.at(0) != ids.at(1));
}

BOOST_AUTO_TEST_CASE(a_stop_token_tells_of_the_cancellation) {
  bool asked = false;
  auto fiber = scheduler.spawn("working", [&] {
    const auto token = this_fiber::get_stop_token();
    while (!token.stop_requested()) {
      try {
        this_fiber::sleep_for(1h);
      } catch (const fibers::cancelled&) {
        asked = token.stop_requested();
        throw;
      }
    }
  });
  scheduler.spawn("canceller", [&] {
    this_fiber::yield();
    fiber.cancel();
  });
  scheduler.run();
  BOOST_TEST(asked);
}

BOOST_AUTO_TEST_CASE(sleepers_wake_in_order_and_never_early) {
  std::vector<fibers::clock::time_point> woken;  // when each was due
  for (const auto length : {30ms, 5ms, 210ms, 0ms, 15ms, 1ms}) {
    scheduler.spawn([length, &woken] {
      const auto due = fibers::clock::now() + length;
      this_fiber::sleep_for(length);
      BOOST_TEST((fibers::clock::now() >= due));
      woken.push_back(due);
    });
  }
  scheduler.run();
  BOOST_TEST(woken.size() == 6U);
  BOOST_TEST(std::ranges::is_sorted(woken));
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

BOOST_AUTO_TEST_CASE(a_second_fiber_that_waits_for_a_descriptor_is_told_that_it_is_busy) {
  const descriptor event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  auto first = scheduler.spawn([&] { this_fiber::wait_readable(event.get()); });
  scheduler.spawn([&] {
    boost::system::error_code error;
    this_fiber::wait_readable(event.get(), error);
    BOOST_TEST(error == boost::system::errc::device_or_resource_busy);
    this_fiber::wait_writable(event.get());  // the other direction is free
    const std::uint64_t one = 1;
    BOOST_TEST(::write(event.get(), &one, sizeof one) == 8);
    first.join();
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(waiting_for_what_is_no_descriptor_may_set_a_code) {
  scheduler.spawn([] {
    const auto bad = boost::asio::error::bad_descriptor;
    boost::system::error_code error;
    this_fiber::wait_readable(-1, error);
    BOOST_TEST((error == bad));
    BOOST_TEST(!this_fiber::wait_writable_for(-1, 1ms, error));
    BOOST_TEST((error == bad));
    const local_pair silent;
    BOOST_TEST(!this_fiber::wait_readable_for(silent.near.get(), 1ms, error));
    BOOST_TEST(!error);
    error = bad;
    BOOST_TEST(
        this_fiber::wait_writable_until(silent.near.get(), fibers::clock::now() + 1h, error));
    BOOST_TEST(!error);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(waiting_for_what_is_no_descriptor_throws) {
  scheduler.spawn(
      [] { BOOST_CHECK_THROW(this_fiber::wait_readable(-1), boost::system::system_error); });
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

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(outside_of_fibers)

BOOST_AUTO_TEST_CASE(what_only_a_fiber_can_do_is_a_logic_error_elsewhere) {
  const auto all_throw = [] {
    BOOST_CHECK_THROW(this_fiber::yield(), std::logic_error);
    BOOST_CHECK_THROW(this_fiber::sleep_for(1ms), std::logic_error);
    BOOST_CHECK_THROW(this_fiber::sleep_until(fibers::clock::now()), std::logic_error);
    BOOST_CHECK_THROW(this_fiber::get_id(), std::logic_error);
    BOOST_CHECK_THROW(this_fiber::get_name(), std::logic_error);
    BOOST_CHECK_THROW(this_fiber::get_stop_token(), std::logic_error);
    BOOST_CHECK_THROW(this_fiber::wait_readable(0), std::logic_error);
  };
  all_throw();
  fibers::scheduler scheduler{backend()};
  all_throw();
  connection silent;
  BOOST_CHECK_THROW(silent.read(), std::logic_error);
  auto fiber = scheduler.spawn([] { return 7; });
  BOOST_CHECK_THROW(fiber.join(), std::logic_error);
  scheduler.run();
  BOOST_TEST(fiber.join() == 7);  // it has finished, so join() need not wait
}

BOOST_AUTO_TEST_SUITE_END()
