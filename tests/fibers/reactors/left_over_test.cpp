// Reactors: what came for an operation that was taken back, and what is asked about descriptors
// that nobody adopted.
#include <sys/epoll.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <tests/fibers/forbidden.hpp>
#include <tests/fibers/forked.hpp>
#include <tests/fibers/reactors/reactor_fixture.hpp>
#include <tests/fibers/waits.hpp>

using namespace std::chrono_literals;
using kind = operation::kind;

namespace {

void send_urgent(const descriptor& to) {
  checked(static_cast<int>(::send(to.get(), "!", 1, MSG_OOB | MSG_NOSIGNAL)), "send");
}

struct left_over_fixture : reactor_fixture {
  ~left_over_fixture() { poll(0ns); }

  // io_uring: lets the kernel complete what it can, and no poll() collects it, because a descriptor
  // with a pending operation is closed.
  void complete_uncollected() {
    auto& pair = others.emplace_back();
    BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
    start(unused.emplace_back(kind::receive, pair.near.get(), std::size_t{1}));
    reactor->forget(pair.near.get());
  }

  // A connection that has come for an accept which is taken back in the same moment.
  descriptor connect_and_take_back(const listening_socket& listener) {
    BOOST_REQUIRE(reactor->adopt(listener.socket.get()) == 0);
    operation accept{kind::accept, listener.socket.get()};
    start(accept);
    poll(0ns);
    auto client = connected_to(listener.port);
    complete_uncollected();
    take_back(accept);
    poll(0ns);
    return client;
  }

  void expect_accepted(const listening_socket& listener, const descriptor& client) {
    operation accept{kind::accept, listener.socket.get()};
    start(accept);
    finish(accept);
    BOOST_REQUIRE(accept.error() == 0);
    const descriptor server{static_cast<int>(accept.result())};
    send_all(client, "hello");
    expect_received(server, "hello");
    reactor->forget(server.get());
  }

  void expect_received(const descriptor& from, const std::string& bytes) {
    request receive{kind::receive, from.get(), 100};
    start(receive);
    finish(receive);
    BOOST_TEST(receive.text() == bytes);
  }

  std::list<tcp_pair> others;
  std::list<request> unused;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(left_over, left_over_fixture)

// --- connections ---------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_connection_that_came_as_its_accept_was_taken_back_is_for_the_next_one) {
  const listening_socket listener;
  const auto client = connect_and_take_back(listener);
  expect_accepted(listener, client);
  reactor->forget(listener.socket.get());
}

BOOST_AUTO_TEST_CASE(a_wait_on_a_listener_tells_of_a_connection_that_came_before) {
  const listening_socket listener;
  const auto client = connect_and_take_back(listener);
  operation wait{kind::wait_readable, listener.socket.get()};
  start(wait);
  finish(wait);
  BOOST_TEST(wait.error() == 0);
  expect_accepted(listener, client);
  operation in_vain{kind::wait_readable, listener.socket.get()};
  start(in_vain);
  poll(0ns);
  BOOST_TEST(!in_vain.finished());
  take_back(in_vain);
  reactor->forget(listener.socket.get());
}

BOOST_AUTO_TEST_CASE(a_connection_that_nobody_took_ends_with_its_listener) {
  auto listener = std::make_unique<listening_socket>();
  const auto client = connect_and_take_back(*listener);
  reactor->forget(listener->socket.get());
  listener.reset();
  char byte = 0;
  BOOST_TEST(::recv(client.get(), &byte, 1, 0) <= 0);  // without the end this waits for ever
}

BOOST_AUTO_TEST_CASE(a_connection_that_comes_as_its_listener_is_closed_ends_as_well) {
  auto listener = std::make_unique<listening_socket>();
  BOOST_REQUIRE(reactor->adopt(listener->socket.get()) == 0);
  operation accept{kind::accept, listener->socket.get()};
  start(accept);
  poll(0ns);
  const auto client = connected_to(listener->port);
  complete_uncollected();
  reactor->forget(listener->socket.get());
  listener.reset();
  finish(accept);
  BOOST_TEST(accept.error() == ECANCELED);
  char byte = 0;
  BOOST_TEST(::recv(client.get(), &byte, 1, 0) <= 0);  // without the end this waits for ever
}

BOOST_AUTO_TEST_CASE(a_connection_that_nobody_took_ends_with_the_reactor,
                     *boost::unit_test::precondition(has_a_ring)) {
  const listening_socket listener;
  const auto client = connect_and_take_back(listener);
  reactor = fibers::make_reactor(backend());
  BOOST_TEST(receive_all(client, 1).empty());
  BOOST_REQUIRE(reactor->adopt(near.get()) == 0);
}

BOOST_AUTO_TEST_CASE(an_accept_may_be_taken_back_while_the_kernel_still_has_the_one_before) {
  const listening_socket listener;
  BOOST_REQUIRE(reactor->adopt(listener.socket.get()) == 0);
  for (int i = 0; i < 3; ++i) {
    operation accept{kind::accept, listener.socket.get()};
    start(accept);
    if (i == 0) poll(0ns);
    take_back(accept);
  }
  const auto client = connected_to(listener.port);
  expect_accepted(listener, client);
  reactor->forget(listener.socket.get());
}

// --- handing over --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_listener_is_not_handed_over_before_its_connections_are_taken,
                     *boost::unit_test::precondition(has_a_ring)) {
  const listening_socket collected, uncollected;
  const auto first = connect_and_take_back(collected);
  BOOST_TEST(reactor->hand_over(collected.socket.get()) == EAGAIN);
  expect_accepted(collected, first);
  BOOST_TEST(reactor->hand_over(collected.socket.get()) == 0);

  BOOST_REQUIRE(reactor->adopt(uncollected.socket.get()) == 0);
  operation accept{kind::accept, uncollected.socket.get()};
  start(accept);
  poll(0ns);
  const auto second = connected_to(uncollected.port);
  complete_uncollected();
  BOOST_TEST(reactor->hand_over(uncollected.socket.get()) == EAGAIN);
  finish(accept);
  BOOST_TEST(accept.error() == ECANCELED);
  expect_accepted(uncollected, second);
  BOOST_TEST(reactor->hand_over(uncollected.socket.get()) == 0);
}

BOOST_AUTO_TEST_CASE(a_stream_is_not_handed_over_before_its_bytes_are_read,
                     *boost::unit_test::precondition(has_bytes)) {
  request receive{kind::receive, near.get(), 100};
  start(receive);
  poll(0ns);
  send_all(far, "hello");
  complete_uncollected();
  BOOST_TEST(reactor->hand_over(near.get()) == EAGAIN);
  finish(receive);
  BOOST_TEST(receive.error() == ECANCELED);
  expect_received(near, "hello");
  BOOST_TEST(reactor->hand_over(near.get()) == 0);
}

BOOST_AUTO_TEST_CASE(a_stream_is_not_handed_over_before_its_reset_is_told,
                     *boost::unit_test::precondition(has_bytes)) {
  for (const bool collected : {true, false}) {
    tcp_pair peers;
    BOOST_REQUIRE(reactor->adopt(peers.near.get()) == 0);
    request receive{kind::receive, peers.near.get(), 100};
    start(receive);
    poll(0ns);
    if (collected) take_back(receive);
    reset(peers.far);
    if (collected) {
      poll(1ms);
    } else {
      complete_uncollected();
    }
    BOOST_TEST(reactor->hand_over(peers.near.get()) == EAGAIN);
    poll(0ns);
    request told{kind::receive, peers.near.get(), 100};
    start(told);
    finish(told);
    BOOST_TEST(told.error() == ECONNRESET);
    BOOST_TEST(reactor->hand_over(peers.near.get()) == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_stream_is_not_handed_over_before_the_failure_of_a_send_is_told,
                     *boost::unit_test::precondition(has_bytes)) {
  reset(far);
  request send{kind::send, near.get(), "anybody?"};
  start(send);
  finish(send);
  poll(0ns);
  const int error = reactor->hand_over(near.get());
  BOOST_TEST((error == ECONNRESET || error == EPIPE));
  BOOST_TEST(reactor->hand_over(near.get()) == 0);
}

// --- bytes and ends ------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_wait_tells_of_an_end_that_came_while_nobody_received) {
  for (const bool in_order : {true, false}) {
    tcp_pair peers;
    BOOST_REQUIRE(reactor->adopt(peers.near.get()) == 0);
    request receive{kind::receive, peers.near.get(), 100};
    start(receive);
    poll(0ns);
    take_back(receive);
    if (in_order) {
      ::shutdown(peers.far.get(), SHUT_WR);
    } else {
      reset(peers.far);
    }
    for (int i = 0; i < 3; ++i) poll(1ms);
    operation wait{kind::wait_readable, peers.near.get()};
    start(wait);
    finish(wait);
    BOOST_TEST(wait.error() == 0);
    request told{kind::receive, peers.near.get(), 100};
    start(told);
    finish(told);
    BOOST_TEST(told.error() == (in_order ? 0 : ECONNRESET));
    BOOST_TEST(told.result() == 0U);
    reactor->forget(peers.near.get());
  }
}

// More often than the ring has buffers at the start.
BOOST_AUTO_TEST_CASE(bytes_that_come_as_their_descriptor_is_closed_are_nobodys) {
  for (int i = 0; i < 100; ++i) {
    const tcp_pair peers;
    BOOST_REQUIRE(reactor->adopt(peers.near.get()) == 0);
    request receive{kind::receive, peers.near.get(), 100};
    start(receive);
    poll(0ns);
    send_all(peers.far, "lost");
    complete_uncollected();
    reactor->forget(peers.near.get());
    finish(receive);
    BOOST_TEST(receive.error() == ECANCELED);
  }
  send_all(far, "hello");
  expect_received(near, "hello");
}

BOOST_AUTO_TEST_CASE(a_receive_from_a_local_socket_fills_several_buffers_in_order) {
  const local_pair peers;
  BOOST_REQUIRE(reactor->adopt(peers.near.get()) == 0);
  std::string first(3, ' '), second(3, ' ');
  const std::array<iovec, 2> parts{{{first.data(), 3}, {second.data(), 3}}};
  operation receive{kind::receive, peers.near.get()};
  receive.buffers(parts.data(), parts.size(), 6);
  start(receive);
  send_all(peers.far, "abcde");
  finish(receive);
  BOOST_TEST(receive.result() == 5U);
  BOOST_TEST(first + second == "abcde ");
  reactor->forget(peers.near.get());
}

// --- room ----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_second_send_that_waits_for_room_gets_EBUSY) {
  fill(near);
  auto& first = send_until_pending(near);
  request second{kind::send, near.get(), "x"};
  start(second);
  BOOST_TEST(second.finished());
  BOOST_TEST(second.error() == EBUSY);
  BOOST_TEST(!first.finished());
  take_back(first);
}

BOOST_AUTO_TEST_CASE(nothing_overtakes_a_send_that_waits_though_the_stream_is_shut_down) {
  fill(near);
  auto& waiting = send_until_pending(near);
  reactor->no_more_sends(near.get());
  BOOST_TEST(reactor->send_at_once(near.get(), "x", 1) == 0);
  take_back(waiting);
}

BOOST_AUTO_TEST_CASE(urgent_data_does_not_end_a_wait_for_room) {
  const auto size = fill_to_the_brim(near);
  operation wait{kind::wait_writable, near.get()};
  start(wait);
  send_urgent(far);
  for (int i = 0; i < 3; ++i) poll(1ms);
  BOOST_TEST(!wait.finished());
  receive_all(far, size);
  finish(wait);
  BOOST_TEST(wait.error() == 0);
}

BOOST_AUTO_TEST_CASE(a_wait_for_room_on_a_socket_of_other_code_lasts_while_bytes_come) {
  const tcp_pair strangers;
  const auto size = fill_to_the_brim(strangers.near);
  operation wait{kind::wait_writable, strangers.near.get()};
  start(wait);
  for (int i = 0; i < 3; ++i) {
    send_all(strangers.far, "x");
    poll(1ms);
  }
  BOOST_TEST(!wait.finished());
  receive_all(strangers.far, size);
  finish(wait);
  BOOST_TEST(wait.error() == 0);
  reactor->forget(strangers.near.get());
}

BOOST_AUTO_TEST_CASE(a_wait_for_room_lasts_although_the_peer_has_ended_its_side) {
  const tcp_pair peers;
  BOOST_REQUIRE(reactor->adopt(peers.near.get()) == 0);
  const auto size = fill_to_the_brim(peers.near);
  ::shutdown(peers.far.get(), SHUT_WR);
  operation wait{kind::wait_writable, peers.near.get()};
  start(wait);
  const waits seen;
  const auto until = std::chrono::steady_clock::now() + 50ms;
  while (std::chrono::steady_clock::now() < until) poll(50ms);
  BOOST_TEST(!wait.finished());
  BOOST_TEST(seen.count() <= 20);
  receive_all(peers.far, size);
  finish(wait);
  BOOST_TEST(wait.error() == 0);
  operation given_up{kind::wait_writable, peers.near.get()};
  fill_to_the_brim(peers.near);
  start(given_up);
  poll(1ms);
  poll(1ms);
  take_back(given_up);
  reactor->forget(peers.near.get());
}

BOOST_AUTO_TEST_CASE(a_wait_for_room_ends_beside_a_send_that_is_still_under_way,
                     *boost::unit_test::precondition(has_bytes)) {
  const local_pair peers;
  BOOST_REQUIRE(reactor->adopt(peers.near.get()) == 0);
  const auto size = fill(peers.near);
  request send{kind::send, peers.near.get(), std::string(5'000, 'x')};
  start(send);
  operation wait{kind::wait_writable, peers.near.get()};
  start(wait);
  poll(0ns);
  BOOST_TEST(!wait.finished());
  receive_all(peers.far, size);
  finish(wait);
  BOOST_TEST(wait.error() == 0);
  while (reactor->drain()) {
  }
  BOOST_TEST(receive_all(peers.far, 5'000) == std::string(5'000, 'x'));
  reactor->forget(peers.near.get());
}

// --- where the system refuses --------------------------------------------------------------------

// select and poll watch such a socket in a set of edges, which needs a descriptor.
BOOST_AUTO_TEST_CASE(an_error_queue_does_no_harm_where_no_descriptor_is_left) {
  request receive{kind::receive, near.get(), 100};
  start(receive);
  poll(0ns);
  const descriptor_limit limit;
  limit.use_up();
  put_into_error_queue(*this);
  for (int i = 0; i < 3; ++i) poll(1ms);
  BOOST_TEST(!receive.finished());
  send_all(far, "hello");
  finish(receive);
  limit.put_back();
  BOOST_TEST(receive.text() == "hello");
}

BOOST_AUTO_TEST_CASE(an_error_queue_does_no_harm_where_no_more_descriptors_can_be_watched) {
  const int ended = exit_code_of([] {
    const auto own = fibers::make_reactor(backend());
    const tcp_pair peers;
    if (own->adopt(peers.near.get()) != 0) return 1;
    forbid(SYS_epoll_ctl, ENOSPC);
    request receive{kind::receive, peers.near.get(), 100};
    own->submit(receive);
    operation_list finished;
    own->poll(fibers::reactor::at_once, finished);
    put_into_error_queue(peers);
    own->poll(fibers::reactor::at_once, finished);
    send_all(peers.far, "hello");
    while (finished.empty()) own->poll(fibers::reactor::when_something_happens, finished);
    finished.clear();
    return receive.text() == "hello" ? 0 : 2;
  });
  BOOST_TEST(ended == 0);
}

// epoll finds a descriptor that is there already, and asks for its events anew.
BOOST_AUTO_TEST_CASE(what_the_kernel_refuses_comes_out_of_adopt) {
  if (backend() != fibers::io::epoll) return;
  const int ended = exit_code_of([] {
    const auto own = fibers::make_reactor(backend());
    const tcp_pair peers;
    if (own->adopt(peers.near.get()) != 0 || own->adopt(peers.near.get()) != 0) return 1;
    forbid(SYS_epoll_ctl, ENOMEM, 1, EPOLL_CTL_MOD);
    return own->adopt(peers.near.get()) == ENOMEM ? 0 : 2;
  });
  BOOST_TEST(ended == 0);
}

// In virtual time: the first is closed 31 seconds before, the second 11.
BOOST_AUTO_TEST_CASE(what_is_unsent_after_a_close_is_given_up_after_thirty_seconds,
                     *boost::unit_test::precondition(has_bytes)) {
  auto now = fibers::clock::now();
  const fibers::virtual_clock in_force{now};
  std::array<local_pair, 2> pairs;
  std::array<std::size_t, 2> sizes{};
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_REQUIRE(reactor->adopt(pairs[i].near.get()) == 0);
    sizes[i] = fill(pairs[i].near);
    request send{kind::send, pairs[i].near.get(), "x"};
    start(send);
    poll(0ns);
    reactor->forget(pairs[i].near.get());
    pairs[i].near = descriptor{};
    now += i == 0 ? 20s : 11s;
  }
  for (int i = 0; i < 3; ++i) poll(0ns);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(receive_all(pairs[i].far, sizes[i]).size() == sizes[i]);
    reactor->drain();
    BOOST_TEST(receive_all(pairs[i].far, 2) == (i == 0 ? "" : "x"));
  }
}

BOOST_AUTO_TEST_CASE(a_drain_ends_if_nothing_leaves_for_a_second,
                     *boost::unit_test::precondition(has_bytes)) {
  const local_pair peers;
  BOOST_REQUIRE(reactor->adopt(peers.near.get()) == 0);
  const auto size = fill(peers.near);
  request send{kind::send, peers.near.get(), "x"};
  start(send);
  BOOST_TEST(!reactor->drain());
  BOOST_TEST(reactor->hand_over(peers.near.get()) == EBUSY);
  receive_all(peers.far, size);
  BOOST_TEST(!reactor->drain());
  BOOST_TEST(reactor->hand_over(peers.near.get()) == 0);
}

// --- strangers -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_descriptor_that_the_reactor_has_never_seen_has_nothing) {
  constexpr int unseen = 100'000;
  reactor->forget(unseen);
  reactor->cancel_all(unseen);
  reactor->give_up_unsent(unseen);
  reactor->no_more_sends(unseen);
  BOOST_TEST(reactor->hand_over(unseen) == 0);
  BOOST_TEST(reactor->send_at_once(unseen, "x", 1) == 0);
  BOOST_TEST(!reactor->shut_down_when_sent(unseen));
  BOOST_TEST(reactor->why_ended(unseen) == 0);
  BOOST_TEST(!reactor->may_receive(unseen));
  BOOST_TEST(reactor->unread(unseen) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
