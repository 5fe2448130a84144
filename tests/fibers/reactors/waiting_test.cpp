// How reactors wait: deadlines, interrupts, readiness, and the limits of descriptors and buffers.
#include <sys/eventfd.h>

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include <tests/fibers/reactors/reactor_fixture.hpp>
#include <tests/fibers/waits.hpp>
#if __has_include(<liburing.h>)
#include <fibers/reactors/io_uring.hpp>
#endif

using namespace std::chrono_literals;
using kind = operation::kind;
using std::chrono::steady_clock;

namespace {

steady_clock::duration duration_of_poll(reactor_fixture& self,
                                        std::optional<std::chrono::nanoseconds> timeout) {
  const auto begin = steady_clock::now();
  self.poll(timeout);
  return steady_clock::now() - begin;
}

// Polls until `deadline`, and expects that no operation finishes.
void poll_until(fibers::reactor& reactor, steady_clock::time_point deadline) {
  operation_list finished;
  reactor.poll(deadline, finished);
  BOOST_TEST(finished.empty());
}

// Whether this process may open descriptors that do not fit into an fd_set.
boost::test_tools::assertion_result descriptors_beyond_1024(boost::unit_test::test_unit_id) {
  if (descriptor_limit{}.most() >= 1300) return true;
  boost::test_tools::assertion_result no{false};
  no.message() << "the hard limit of open descriptors is " << descriptor_limit{}.most();
  return no;
}

boost::test_tools::assertion_result is_io_uring(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result is{backend() == fibers::io::io_uring};
  is.message() << "no other reactor has a ring";
  return is;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(waiting, reactor_fixture)

BOOST_AUTO_TEST_CASE(a_wait_is_one_call_and_ends_at_its_deadline_and_never_before) {
  poll(1ns);  // the first poll may have more to do
  for (const auto time : {1ns, 999ns, 100'001ns, 1'000'001ns, 7'500'000ns}) {
    const waits seen;
    const auto deadline = steady_clock::now() + time;
    poll_until(*reactor, deadline);
    BOOST_TEST((steady_clock::now() >= deadline));
    BOOST_TEST(seen.count() == 1);
    BOOST_TEST((seen.sleeps() == 0 || seen.end_at(deadline)));
  }
}

// The timer expires early, and poll() waits again without returning.
BOOST_AUTO_TEST_CASE(an_earlier_deadline_that_was_given_up_costs_one_wait_and_ends_none) {
  reactor->interrupt();
  poll(5ms);
  const waits seen;
  const auto deadline = steady_clock::now() + 20ms;
  poll_until(*reactor, deadline);
  BOOST_TEST((steady_clock::now() >= deadline));
  BOOST_TEST(seen.count() <= 2);
  BOOST_TEST(seen.end_by(deadline));
}

BOOST_AUTO_TEST_CASE(a_later_deadline_that_was_given_up_holds_up_none) {
  reactor->interrupt();
  poll(1s);
  const waits seen;
  const auto deadline = steady_clock::now() + 5ms;
  poll_until(*reactor, deadline);
  BOOST_TEST((steady_clock::now() >= deadline));
  BOOST_TEST(seen.count() == 1);
  BOOST_TEST(seen.end_by(deadline));
}

BOOST_AUTO_TEST_CASE(no_time_left_means_not_to_wait) {
  request receive{kind::receive, near.get(), 10};
  start(receive);
  const waits seen;
  poll_until(*reactor, fibers::reactor::at_once);
  poll_until(*reactor, steady_clock::now());
  poll_until(*reactor, steady_clock::now() - 5ms);
  BOOST_TEST(seen.count() == 3);
  BOOST_TEST(seen.sleeps() == 0);
  BOOST_TEST(!receive.finished());
  take_back(receive);
}

BOOST_AUTO_TEST_CASE(waiting_without_a_limit_ends_with_an_operation) {
  request receive{kind::receive, near.get(), 10};
  start(receive);
  const waits seen;
  const std::jthread later{[&] {
    seen.until_asleep();
    send_all(far, "hello");
  }};
  while (!receive.finished()) poll(std::nullopt);
  BOOST_TEST(receive.text() == "hello");
}

BOOST_AUTO_TEST_CASE(an_interrupt_from_another_thread_ends_a_wait) {
  for (int i = 0; i < 20; ++i) {
    const waits seen;
    const std::jthread other{[&] {
      if (i % 2 == 0) seen.until_asleep();
      reactor->interrupt();
    }};
    poll(std::nullopt);
  }
}

BOOST_AUTO_TEST_CASE(an_interrupt_before_the_wait_ends_it_at_once) {
  reactor->interrupt();
  poll(std::nullopt);
}

BOOST_AUTO_TEST_CASE(after_an_interrupt_waiting_is_waiting_again) {
  for (int i = 0; i < 100; ++i) reactor->interrupt();
  poll(std::nullopt);
  BOOST_TEST((duration_of_poll(*this, 5ms) >= 5ms));
}

BOOST_AUTO_TEST_CASE(a_wait_tells_of_bytes_and_leaves_them) {
  std::array<int, 2> ends{};
  checked(::pipe(ends.data()), "pipe");
  const descriptor reads{ends[0]}, writes{ends[1]};
  operation readable{kind::wait_readable, reads.get()};
  start(readable);
  poll(0ns);
  BOOST_TEST(!readable.finished());
  BOOST_REQUIRE(::write(writes.get(), "ab", 2) == 2);
  finish(readable);
  BOOST_TEST(readable.error() == 0);
  operation still_readable{kind::wait_readable, reads.get()};
  start(still_readable);
  finish(still_readable);
  std::array<char, 3> bytes{};
  BOOST_TEST(::read(reads.get(), bytes.data(), bytes.size()) == 2);
  BOOST_TEST((::fcntl(reads.get(), F_GETFL) & O_NONBLOCK) == 0);
}

BOOST_AUTO_TEST_CASE(a_wait_sees_every_signal_of_an_eventfd) {
  const descriptor event{::eventfd(0, EFD_CLOEXEC)};
  for (std::uint64_t i = 1; i <= 3; ++i) {
    operation readable{kind::wait_readable, event.get()};
    start(readable);
    poll(0ns);
    BOOST_TEST(!readable.finished());
    BOOST_REQUIRE(::write(event.get(), &i, sizeof i) == sizeof i);
    finish(readable);
    std::uint64_t count = 0;
    BOOST_REQUIRE(::read(event.get(), &count, sizeof count) == sizeof count);
    BOOST_TEST(count == i);
  }
}

// At most one more event ends a wait. At that event the reactor sees that no operation waits, and
// stops watching the descriptor.
BOOST_AUTO_TEST_CASE(a_descriptor_that_was_waited_for_once_does_not_go_on_waking_the_loop) {
  const descriptor event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  const std::uint64_t one = 1;
  operation readable{kind::wait_readable, event.get()};
  start(readable);
  BOOST_REQUIRE(::write(event.get(), &one, sizeof one) == sizeof one);
  finish(readable);
  for (int i = 0; i < 5; ++i) {
    BOOST_REQUIRE(::write(event.get(), &one, sizeof one) == sizeof one);
    const auto waited = duration_of_poll(*this, 5ms);
    if (i > 0) BOOST_TEST((waited >= 5ms));
  }
  operation again{kind::wait_readable, event.get()};
  start(again);
  finish(again);
  BOOST_TEST(again.error() == 0);
}

BOOST_AUTO_TEST_CASE(one_waits_to_read_while_another_waits_to_write) {
  const tcp_pair peers;  // not adopted
  operation readable{kind::wait_readable, peers.near.get()};
  operation writable{kind::wait_writable, peers.near.get()};
  start(readable);
  start(writable);
  finish(writable);
  BOOST_TEST(!readable.finished());
  send_all(peers.far, "x");
  finish(readable);
  BOOST_TEST(readable.error() == 0);
}

BOOST_AUTO_TEST_CASE(a_writer_that_waits_is_not_forgotten_when_a_reader_comes) {
  const local_pair peers;  // not adopted
  const auto filled = fill(peers.near);
  operation writable{kind::wait_writable, peers.near.get()};
  operation readable{kind::wait_readable, peers.near.get()};
  start(writable);
  start(readable);
  poll(0ns);
  BOOST_TEST(!writable.finished());
  receive_all(peers.far, filled);
  finish(writable);
  BOOST_TEST(writable.error() == 0);
  take_back(readable);
}

BOOST_AUTO_TEST_CASE(a_wait_on_a_socket_takes_no_event_from_its_receives) {
  send_all(far, "hello");
  operation readable{kind::wait_readable, near.get()};
  start(readable);
  finish(readable);
  request receive{kind::receive, near.get(), 2};
  start(receive);
  finish(receive);
  operation again{kind::wait_readable, near.get()};
  start(again);
  finish(again);
  request rest{kind::receive, near.get(), 10};
  start(rest);
  finish(rest);
  BOOST_TEST(rest.text() == "llo");
}

BOOST_AUTO_TEST_CASE(a_wait_beside_a_receive_ends_with_bytes_that_a_later_receive_gets) {
  request first{kind::receive, near.get(), 10};
  start(first);
  send_all(far, "one");
  finish(first);
  operation readable{kind::wait_readable, near.get()};
  start(readable);
  poll(0ns);
  BOOST_TEST(!readable.finished());
  send_all(far, "two");
  finish(readable);
  request second{kind::receive, near.get(), 10};
  start(second);
  finish(second);
  BOOST_TEST(second.text() == "two");
  request third{kind::receive, near.get(), 10};
  start(third);
  poll(0ns);
  poll(1ms);
  BOOST_TEST(!third.finished());
  take_back(third);
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_taken_back_leaves_the_other_direction_waiting) {
  const local_pair peers;
  const auto filled = fill(peers.near);
  operation readable{kind::wait_readable, peers.near.get()};
  operation writable{kind::wait_writable, peers.near.get()};
  start(readable);
  start(writable);
  poll(0ns);
  take_back(readable);
  BOOST_TEST(readable.error() == ECANCELED);
  BOOST_TEST(!writable.finished());
  receive_all(peers.far, filled);
  finish(writable);
  BOOST_TEST(writable.error() == 0);
}

BOOST_AUTO_TEST_CASE(waiting_for_what_is_no_descriptor_is_an_error) {
  const int closed = ::dup(near.get());
  ::close(closed);
  for (const int number : {-1, closed, 1 << 30}) {
    operation readable{kind::wait_readable, number};
    start(readable);
    finish(readable);
    BOOST_TEST(readable.error() == EBADF);
  }
}

BOOST_AUTO_TEST_CASE(when_descriptors_run_out_accepting_says_so_and_works_again_later) {
  const listening_socket listener;
  BOOST_REQUIRE(reactor->adopt(listener.socket.get()) == 0);
  operation first{kind::accept, listener.socket.get()};
  const auto client = new_socket();
  const descriptor_limit limit;
  limit.use_up();
  start(first);
  connect_to(client, listener.port);
  finish(first);
  limit.put_back();
  BOOST_TEST(first.error() == EMFILE);
  operation second{kind::accept, listener.socket.get()};
  start(second);
  finish(second);
  BOOST_TEST(second.error() == 0);
  const descriptor accepted{static_cast<int>(second.result())};
  reactor->forget(accepted.get());
  reactor->forget(listener.socket.get());
}

// With _FORTIFY_SOURCE=2, as in hardened builds, FD_SET and its like would abort.
BOOST_AUTO_TEST_CASE(descriptors_beyond_1024_work,
                     *boost::unit_test::precondition(descriptors_beyond_1024)) {
  const descriptor_limit limit{1300};
  std::vector<descriptor> before;
  while (before.size() < 1100) before.emplace_back(checked(::dup(near.get()), "dup"));
  const auto low = std::exchange(reactor, fibers::make_reactor(backend()));
  const tcp_pair peers;
  BOOST_REQUIRE(peers.near.get() > 1024);
  BOOST_REQUIRE(reactor->adopt(peers.near.get()) == 0);
  request receive{kind::receive, peers.near.get(), 10};
  start(receive);
  poll(0ns);
  BOOST_TEST(!receive.finished());
  send_all(peers.far, "hello");
  finish(receive);
  BOOST_TEST(receive.text() == "hello");
  reactor->interrupt();
  poll(std::nullopt);
  reactor->forget(peers.near.get());
}

#if __has_include(<liburing.h>)
// The submission queue runs full all the time, and the ring of eight buffers must grow.
BOOST_AUTO_TEST_CASE(a_ring_of_eight_entries_serves_five_thousand_connections,
                     *boost::unit_test::precondition(is_io_uring)) {
  reactor->forget(near.get());
  reactor = std::make_unique<fibers::io_uring_reactor>(
      fibers::io_uring_reactor::settings{.queue = 8, .buffers = 8});
  for (int served = 0; served < 5000; served += 250) {
    std::vector<tcp_pair> peers(250);
    for (const auto& pair : peers) BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
    for (int round = 0; round < 3; ++round) {
      std::list<request> receives, sends;
      for (const auto& pair : peers) {
        start(receives.emplace_back(kind::receive, pair.near.get(), std::size_t{8}));
      }
      for (const auto& pair : peers) send_all(pair.far, "hello");
      for (auto& receive : receives) {
        finish(receive);
        BOOST_REQUIRE(receive.text() == "hello");
        start(sends.emplace_back(kind::send, receive.descriptor(), receive.text()));
      }
      for (auto& send : sends) finish(send);
      for (const auto& pair : peers) BOOST_REQUIRE(receive_all(pair.far, 5) == "hello");
    }
    for (auto& pair : peers) {
      reactor->forget(pair.near.get());
      reset(pair.far);  // otherwise the ports stay in TIME_WAIT for a minute
    }
  }
}

// Twenty connections have unread bytes for two buffers or more each. The ring has eight buffers.
BOOST_AUTO_TEST_CASE(connections_that_nobody_reads_leave_buffers_to_the_others,
                     *boost::unit_test::precondition(is_io_uring)) {
  reactor->forget(near.get());
  reactor = std::make_unique<fibers::io_uring_reactor>(
      fibers::io_uring_reactor::settings{.queue = 8, .buffers = 8, .most_buffers = 8});
  BOOST_REQUIRE(reactor->adopt(near.get()) == 0);
  std::vector<tcp_pair> unread(20);
  for (const auto& pair : unread) {
    BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
    request first{kind::receive, pair.near.get(), std::size_t{1}};
    start(first);
    send_all(pair.far, "a");
    finish(first);
  }
  for (const char* part : {"bc", "de", "fg", "hi"}) {
    for (const auto& pair : unread) {
      send_all(pair.far, part);
      poll(1ms);
    }
  }
  for (int i = 0; i < 100; ++i) {
    request receive{kind::receive, near.get(), 10};
    start(receive);
    send_all(far, "hello");
    finish(receive);
    BOOST_REQUIRE(receive.text() == "hello");
  }
  for (const auto& pair : unread) {
    std::string bytes;
    while (bytes.size() < 8) {
      request receive{kind::receive, pair.near.get(), std::size_t{3}};
      start(receive);
      finish(receive);
      BOOST_REQUIRE(receive.result() > 0);
      bytes += receive.text();
    }
    BOOST_TEST(bytes == "bcdefghi");
    reactor->forget(pair.near.get());
  }
}
#endif

// Two hundred other connections have events, and the reactor has not polled since.
BOOST_AUTO_TEST_CASE(a_busy_reactor_lets_go_of_what_is_closed_at_once) {
  std::vector<tcp_pair> peers(200);
  std::list<request> receives;
  for (const auto& pair : peers) {
    BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
    start(receives.emplace_back(kind::receive, pair.near.get(), std::size_t{8}));
  }
  auto listener = std::make_unique<listening_socket>();
  BOOST_REQUIRE(reactor->adopt(listener->socket.get()) == 0);
  operation accept{kind::accept, listener->socket.get()};
  start(accept);
  request receive{kind::receive, near.get(), 10};
  start(receive);
  poll(0ns);
  for (const auto& pair : peers) send_all(pair.far, "a");
  reactor->forget(near.get());
  near = descriptor{};
  BOOST_TEST(receive_all(far, 1).empty());  // without the end this waits for ever
  const auto port = listener->port;
  reactor->forget(listener->socket.get());
  listener.reset();
  const auto again = new_socket();
  const auto address = loopback(port);
  BOOST_TEST(::bind(again.get(), generic(address), sizeof address) == 0);
  while (!accept.finished() || !receive.finished()) poll(1s);
  for (auto& each : receives) finish(each);
  for (const auto& pair : peers) reactor->forget(pair.near.get());
}

BOOST_AUTO_TEST_CASE(two_hundred_pending_operations_finish_each_once) {
  constexpr std::size_t many = 200;
  std::vector<tcp_pair> peers(many);
  std::list<request> receives;
  for (const auto& pair : peers) {
    BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
    start(receives.emplace_back(kind::receive, pair.near.get(), std::size_t{8}));
  }
  for (const auto& pair : peers) send_all(pair.far, "hello");
  std::size_t finished_count = 0;
  while (finished_count < many) {
    operation_list finished;
    reactor->poll(steady_clock::now() + 1s, finished);
    finished_count += finished.size();
    finished.clear();
  }
  for (const auto& receive : receives) BOOST_TEST(receive.text() == "hello");
  for (const auto& pair : peers) reactor->forget(pair.near.get());
}

BOOST_AUTO_TEST_SUITE_END()
