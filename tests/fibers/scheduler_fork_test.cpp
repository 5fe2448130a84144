// The scheduler: a child process that inherits it.
#include <boost/test/unit_test.hpp>
#include <memory>
#include <stdexcept>
#include <thread>

#include <tests/fibers/forked.hpp>
#include <tests/fibers/scheduler_fixture.hpp>

namespace {

// A scheduler in which one fiber reads, one sleeps, and what another has written may be unsent.
struct parent {
  std::unique_ptr<fibers::scheduler> scheduler = std::make_unique<fibers::scheduler>(backend());
  connection silent, busy;
  fibers::tcp::listener listener{"127.0.0.1", 0};
  bool read = false, slept = false;

  parent() {
    scheduler->spawn("reads", [&] { read = silent.read() == 'x'; });
    scheduler->spawn("sleeps", [&] {
      this_fiber::sleep_for(20ms);
      slept = true;
    });
    scheduler->spawn("writes", [&] { write(); });
    scheduler->spawn("leaves", [&] {
      this_fiber::sleep_for(1ms);  // the loop has waited with a deadline
      write();
      throw std::runtime_error{"let run() return"};
    });
    BOOST_CHECK_THROW(scheduler->run(), std::runtime_error);
  }

  void write() { busy.stream.write_some(boost::asio::buffer("m", 1)); }

  // Expects that everything works as if there had been no child.
  void go_on() {
    scheduler->spawn("echoes", [&] {
      for (int i = 0; i < 1000; ++i) {
        BOOST_REQUIRE(this_fiber::wait_readable_for(busy.far.get(), 10s));
        BOOST_REQUIRE(receive_all(busy.far, 1) == "m");
        send_all(busy.far, "e");
        BOOST_REQUIRE(busy.read() == 'e');
        write();
      }
      const auto client = connected_to(listener.local_endpoint().port());
      BOOST_TEST(listener.accept().is_open());
      send_all(silent.far, "x");
      const auto begin = fibers::clock::now();
      this_fiber::sleep_for(10ms);
      BOOST_TEST((fibers::clock::now() - begin >= 10ms));
    });
    scheduler->run();
    BOOST_TEST(read);
    BOOST_TEST(slept);
    bool posted = false;
    auto parked = scheduler->spawn("parked", [&] {
      scheduler->tasks().park();
      scheduler->tasks().check_cancelled();
    });
    const std::jthread posts{[&] {
      std::this_thread::sleep_for(5ms);
      scheduler->post([&] {
        posted = true;
        parked.cancel();
      });
    }};
    scheduler->run();
    BOOST_TEST(posted);
  }
};

// Forks outside of the loop, and in a fiber. `child` returns 0 if all is right in the child.
template <class Child>
void survives(Child child) {
  {
    parent forks;
    BOOST_TEST(exit_code_of([&] { return child(forks); }) == 0);
    forks.go_on();
  }
  parent forks;
  forks.scheduler->spawn("forks",
                         [&] { BOOST_TEST(exit_code_of([&] { return child(forks); }) == 0); });
  forks.go_on();
}

// 0 if `call` throws std::logic_error.
template <class Call>
int refused(Call call) {
  try {
    call();
  } catch (const std::logic_error&) {
    return 0;
  }
  return 1;
}

}  // namespace

// ThreadSanitizer loses sight of fibers at a fork(), and reports races of the child with its
// parent.
BOOST_AUTO_TEST_SUITE(forked, *boost::unit_test::enable_if<!fibers::sanitizer::thread>())

BOOST_AUTO_TEST_CASE(a_child_that_only_ends_leaves_its_parent_alone) {
  survives([](parent&) { return 0; });
}

BOOST_AUTO_TEST_CASE(a_child_that_closes_everything_leaves_its_parent_alone) {
  survives([](parent& inherited) {
    inherited.silent.stream.close();
    inherited.listener.close();
    const descriptor mine{inherited.busy.stream.release()};
    return mine.get() >= 0 && !inherited.listener.is_open() ? 0 : 1;
  });
}

BOOST_AUTO_TEST_CASE(a_child_that_destroys_the_scheduler_leaves_its_parent_alone) {
  parent forks;
  const bool slept = forks.slept;
  const int ended = exit_code_of([&] {
    forks.scheduler.reset();
    return forks.read || forks.slept != slept ? 1 : 0;
  });
  BOOST_TEST(ended == 0);
  forks.go_on();
}

BOOST_AUTO_TEST_CASE(a_child_that_runs_its_parents_scheduler_is_told) {
  parent forks;
  const int ended = exit_code_of([&] {
    return refused([&] { forks.scheduler->run(); }) + refused([&] { forks.scheduler->run(); });
  });
  BOOST_TEST(ended == 0);
  forks.go_on();
}

BOOST_AUTO_TEST_CASE(a_fiber_that_blocks_in_a_child_is_told) {
  parent forks;
  forks.scheduler->spawn("forks", [&] {
    const int ended = exit_code_of([&] {
      return refused([&] { forks.busy.read(); }) + refused([&] { forks.write(); }) +
             refused([&] { forks.listener.accept(); });
    });
    BOOST_TEST(ended == 0);
  });
  forks.go_on();
}

BOOST_AUTO_TEST_CASE(a_child_makes_a_scheduler_of_its_own) {
  survives([](parent&) {
    fibers::scheduler own{backend()};
    int received = 0;
    own.spawn([&] {
      connection peers;
      for (; received < 100; ++received) {
        send_all(peers.far, "y");
        if (peers.read() != 'y') return;
      }
      this_fiber::sleep_for(1ms);
    });
    own.run();
    return received == 100 ? 0 : 1;
  });
}

BOOST_AUTO_TEST_CASE(a_child_of_a_child_is_no_exception) {
  survives([](parent& inherited) {
    return exit_code_of([&] {
      inherited.silent.stream.close();
      fibers::scheduler own{backend()};
      own.spawn([] { this_fiber::sleep_for(1ms); });
      own.run();
      return 0;
    });
  });
}

BOOST_AUTO_TEST_CASE(a_child_can_cancel_stop_and_post_and_opens_nothing) {
  survives([](parent& inherited) {
    const int ran = refused([&] { inherited.scheduler->run(); });
    inherited.silent.stream.cancel();
    inherited.scheduler->stop();
    inherited.scheduler->post([] {});
    if (inherited.scheduler->backend() == backend()) return 1;
    try {
      fibers::tcp::listener doorway{"127.0.0.1", 0};
    } catch (const boost::system::system_error& error) {
      return error.code() == boost::system::errc::operation_not_permitted ? ran : 2;
    }
    return 3;
  });
}

// The child has the fiber that reads, and the loop has not told it yet.
BOOST_AUTO_TEST_CASE(a_fiber_that_was_closed_under_before_the_fork_is_told_in_the_child) {
  fibers::scheduler scheduler{backend()};
  connection peers;
  boost::system::error_code error;
  auto reads = scheduler.spawn([&] {
    char byte = 0;
    peers.stream.read_some(boost::asio::buffer(&byte, 1), error);
  });
  scheduler.spawn([&] {
    this_fiber::sleep_for(1ms);
    peers.stream.close();
    const int ended = exit_code_of([&] {
      reads.join();
      return error == boost::asio::error::operation_aborted ? 0 : 1;
    });
    BOOST_TEST(ended == 0);
  });
  scheduler.run();
  BOOST_TEST(error == boost::asio::error::operation_aborted);
}

BOOST_AUTO_TEST_SUITE_END()
