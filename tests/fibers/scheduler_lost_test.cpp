// The scheduler: loops that cannot work any more.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <tests/fibers/forked.hpp>
#include <tests/fibers/reactors/reactor_fixture.hpp>
#include <tests/fibers/scheduler_fixture.hpp>

namespace {

// Closes every descriptor but the standard ones, as a program does that becomes a daemon.
void close_all_descriptors() {
  checked(::close_range(3, ~0U, 0), "close_range");
}

// Closes the loop's descriptors under a fiber that then waits: at once, or after the loop has
// waited. Returns 0 if run() throws EBADF for it and 1 if it returns. The scheduler is destroyed
// afterwards.
template <class Waits>
int close_under(Waits waits, bool at_once) {
  int result = 1;
  {
    fibers::scheduler scheduler{backend()};
    scheduler.spawn([&] {
      if (!at_once) this_fiber::sleep_for(1ms);
      close_all_descriptors();
      waits();
    });
    try {
      scheduler.run();
    } catch (const boost::system::system_error& error) {
      result = error.code() == boost::system::errc::bad_file_descriptor ? 0 : 2;
    }
  }
  return result;
}

boost::test_tools::assertion_result is_io_uring(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result does{backend() == fibers::io::io_uring};
  does.message() << "only io_uring minds which thread polls";
  return does;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lost)

// A ring that has waited once goes on: it is registered with the thread, and no longer looked up by
// its descriptor.
BOOST_AUTO_TEST_CASE(a_loop_whose_own_descriptors_were_closed_says_so) {
  const auto naps = [] { this_fiber::sleep_for(20ms); };
  const auto sleeps = [] { this_fiber::sleep_for(1h); };
  const auto parks = [] { fibers::scheduler::current().tasks().park(); };
  BOOST_TEST(exit_code_of([&] { return close_under(sleeps, true); }) == 0);
  BOOST_TEST(exit_code_of([&] { return close_under(parks, true); }) == 0);
  const int expected = backend() == fibers::io::io_uring ? 1 : 0;
  BOOST_TEST(exit_code_of([&] { return close_under(naps, false); }) == expected);
}

// What the loop owes to others comes before the error. (A ring goes on.)
BOOST_AUTO_TEST_CASE(a_loop_that_cannot_wait_still_tells_who_was_closed_under) {
  if (backend() == fibers::io::io_uring) return;
  const int ended = exit_code_of([] {
    bool told = false;
    int result = 1;
    fibers::scheduler scheduler{backend()};
    connection peers;
    scheduler.spawn([&] {
      char byte = 0;
      boost::system::error_code error;
      peers.stream.read_some(boost::asio::buffer(&byte, 1), error);
      told = error == boost::asio::error::operation_aborted;
      this_fiber::sleep_for(1h);
    });
    scheduler.spawn([&] {
      peers.stream.close();
      close_all_descriptors();
    });
    try {
      scheduler.run();
    } catch (const boost::system::system_error& error) {
      result = error.code() == boost::system::errc::bad_file_descriptor && told ? 0 : 2;
    }
    return result;
  });
  BOOST_TEST(ended == 0);
}

BOOST_AUTO_TEST_CASE(a_scheduler_that_another_thread_runs_is_told) {
  fibers::scheduler scheduler{backend()};
  bool ran = false;
  scheduler.spawn([&] { ran = true; });
  std::jthread{[&] { BOOST_CHECK_THROW(scheduler.run(), std::logic_error); }}.join();
  BOOST_TEST(!ran);
  scheduler.run();
  BOOST_TEST(ran);
}

BOOST_AUTO_TEST_CASE(a_ring_that_refuses_a_thread_first_gives_back_what_was_cancelled,
                     *boost::unit_test::precondition(is_io_uring)) {
  const int ended = exit_code_of([] {
    const auto reactor = fibers::make_reactor(backend());
    const descriptor event{checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")};
    operation wait{operation::kind::wait_readable, event.get()};
    int result = 1;
    std::jthread{[&] {
      reactor->submit(wait);
      reactor->cancel_all(event.get());
      operation_list finished;
      reactor->poll(fibers::reactor::at_once, finished);
      if (finished.size() != 1 || wait.error() != ECANCELED) result = 2;
      finished.clear();
      try {
        reactor->poll(fibers::reactor::at_once, finished);
      } catch (const boost::system::system_error&) {
        result -= 1;
      }
    }}.join();
    return result;
  });
  BOOST_TEST(ended == 0);
}

BOOST_AUTO_TEST_CASE(a_drain_of_a_ring_that_refuses_a_thread_gives_up,
                     *boost::unit_test::precondition(is_io_uring)) {
  const int ended = exit_code_of([] {
    const auto reactor = fibers::make_reactor(backend());
    const local_pair peers;
    if (reactor->adopt(peers.near.get()) != 0) return 1;
    bool interrupted = true;
    std::jthread{[&] {
      char byte = 'x';
      operation send{operation::kind::send, peers.near.get()};
      send.buffer(&byte, 1);
      reactor->submit(send);
      interrupted = reactor->drain();
    }}.join();
    return interrupted ? 2 : 0;
  });
  BOOST_TEST(ended == 0);
}

// The queue holds 256 requests. More of them are lost here, and the operations can be cancelled.
BOOST_AUTO_TEST_CASE(a_ring_that_refuses_a_thread_tells_it_and_takes_any_number_of_operations,
                     *boost::unit_test::precondition(is_io_uring)) {
  const int ended = exit_code_of([] {
    const auto reactor = fibers::make_reactor(backend());
    std::vector<descriptor> events;
    std::vector<std::unique_ptr<operation>> waiting;
    for (int i = 0; i < 600; ++i) {
      events.emplace_back(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
      waiting.push_back(
          std::make_unique<operation>(operation::kind::wait_readable, events.back().get()));
    }
    int result = 1;
    std::jthread{[&] {
      for (const auto& each : waiting) reactor->submit(*each);
      operation_list finished;
      try {
        reactor->poll(fibers::reactor::at_once, finished);
      } catch (const boost::system::system_error&) {
        result = 0;
      }
      finished.clear();
      for (const auto& each : waiting) {
        if (!reactor->cancel(*each)) result = 2;
      }
    }}.join();
    return result;
  });
  BOOST_TEST(ended == 0);
}

BOOST_AUTO_TEST_SUITE_END()
