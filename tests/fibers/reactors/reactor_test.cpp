// The contract of every reactor, tested with raw sockets and without fibers.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <list>
#include <thread>
#include <vector>

#include <tests/fibers/reactors/reactor_fixture.hpp>

using namespace std::chrono_literals;
using kind = operation::kind;

namespace {

// Calls of recv(), accept4() and send() that failed with EAGAIN.
int futile_receives = 0;
int futile_accepts = 0;
int futile_sends = 0;

int count_descriptors() {
  const std::filesystem::directory_iterator open{"/proc/self/fd"};
  return static_cast<int>(std::distance(open, {}));
}

// io_uring makes none of these calls: the kernel does the operations.
boost::test_tools::assertion_result only_tells_when_to_try(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result tells{backend() != fibers::io::io_uring};
  tells.message() << "io_uring does the operation itself";
  return tells;
}

}  // namespace

// The linker lets the library call these (see -Wl,--wrap), in order to count.
extern "C" {
decltype(recv) __real_recv, __wrap_recv;
decltype(send) __real_send, __wrap_send;
decltype(accept4) __real_accept4, __wrap_accept4;
}

ssize_t __wrap_recv(int descriptor, void* buffer, std::size_t size, int flags) {
  const auto result = __real_recv(descriptor, buffer, size, flags);
  if (result < 0 && errno == EAGAIN) ++futile_receives;
  return result;
}

int __wrap_accept4(int descriptor, sockaddr* peer, socklen_t* length, int flags) {
  const auto result = __real_accept4(descriptor, peer, length, flags);
  if (result < 0 && errno == EAGAIN) ++futile_accepts;
  return result;
}

ssize_t __wrap_send(int descriptor, const void* buffer, std::size_t size, int flags) {
  const auto result = __real_send(descriptor, buffer, size, flags);
  if (result < 0 && errno == EAGAIN) ++futile_sends;
  return result;
}

namespace {

void send_and_close(descriptor& peer) {
  send_all(peer, "hello");
  peer = descriptor{};
}

void send_and_reset(descriptor& peer) {
  send_all(peer, "hello");
  reset(peer);
}

// Receives until the stream ends. The peer calls `early` before the first receive, and `late` while
// that receive waits and the kernel knows of it. Returns the bytes and the kind of end, such as
// "hello 0" for the end of the stream.
struct end_fixture : reactor_fixture {
  template <class Pair, class Early, class Late>
  std::string bytes_and_end(Early early, Late late) {
    Pair peers;
    const int descriptor = peers.near.get();
    BOOST_REQUIRE(reactor->adopt(descriptor) == 0);
    early(peers.far);
    std::string all;
    for (bool first = true; all.find(' ') == all.npos; first = false) {
      request next{kind::receive, descriptor, 100};
      start(next);
      if (first && !next.finished()) poll(0ns);
      if (first) late(peers.far);
      const auto until = std::chrono::steady_clock::now() + 3s;
      while (!next.finished() && std::chrono::steady_clock::now() < until) poll(100ms);
      if (!next.finished()) {
        take_back(next);
        all += " never";
      } else if (next.error() != 0) {
        all += next.error() == ECONNRESET ? " ECONNRESET" : " another error";
      } else {
        all += next.result() == 0 ? " 0" : next.text();
      }
    }
    reactor->forget(descriptor);
    return all;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ends, end_fixture)

BOOST_AUTO_TEST_CASE(an_end_that_came_before_the_first_receive_is_told_after_the_bytes) {
  BOOST_TEST(bytes_and_end<tcp_pair>(send_and_close, [](auto&) {}) == "hello 0");
  BOOST_TEST(bytes_and_end<local_pair>(send_and_close, [](auto&) {}) == "hello 0");
  BOOST_TEST(bytes_and_end<tcp_pair>(send_and_reset, [](auto&) {}) == "hello ECONNRESET");
}

// A receive waits, and both the bytes and the end come before the next poll.
BOOST_AUTO_TEST_CASE(an_end_that_comes_together_with_bytes_is_told_after_them) {
  BOOST_TEST(bytes_and_end<tcp_pair>([](auto&) {}, send_and_close) == "hello 0");
  BOOST_TEST(bytes_and_end<local_pair>([](auto&) {}, send_and_close) == "hello 0");
  BOOST_TEST(bytes_and_end<tcp_pair>([](auto&) {}, send_and_reset) == "hello ECONNRESET");
}
BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(reactor, reactor_fixture)

BOOST_AUTO_TEST_CASE(a_receive_gives_the_bytes_that_were_sent) {
  request receive{kind::receive, near.get(), 100};
  start(receive);
  send_all(far, "hello");
  finish(receive);
  BOOST_TEST(receive.text() == "hello");
}

BOOST_AUTO_TEST_CASE(a_receive_fills_several_buffers_in_order) {
  std::array<char, 3> first{}, second{};
  const std::array<iovec, 2> parts{{{first.data(), 3}, {second.data(), 3}}};
  operation receive{kind::receive, near.get()};
  receive.buffers(parts.data(), parts.size(), 6);
  start(receive);
  send_all(far, "abcde");
  finish(receive);
  BOOST_TEST(receive.result() == 5U);
  BOOST_TEST(std::string(first.data(), 3) == "abc");
  BOOST_TEST(std::string(second.data(), 2) == "de");
}

BOOST_AUTO_TEST_CASE(a_send_takes_several_buffers_in_order) {
  std::string first = "abc", second = "de";
  const std::array<iovec, 2> parts{{{first.data(), 3}, {second.data(), 2}}};
  operation send{kind::send, near.get()};
  send.buffers(parts.data(), parts.size(), 5);
  start(send);
  finish(send);
  BOOST_TEST(send.result() == 5U);
  BOOST_TEST(receive_all(far, 5) == "abcde");
}

// After a short read the socket is empty, so another recv() would fail with EAGAIN.
BOOST_AUTO_TEST_CASE(a_short_receive_is_not_followed_by_one_known_to_fail) {
  const int before = futile_receives;
  for (int i = 0; i < 50; ++i) {
    request receive{kind::receive, near.get(), 100};
    start(receive);
    BOOST_TEST(!receive.finished());
    send_all(far, "ping");
    finish(receive);
    BOOST_TEST(receive.text() == "ping");
  }
  BOOST_TEST(futile_receives == before);
}

BOOST_AUTO_TEST_CASE(a_full_receive_leaves_the_rest_for_the_next_one) {
  send_all(far, "abcdef");
  for (const auto* part : {"ab", "cd", "ef"}) {
    request receive{kind::receive, near.get(), 2};
    start(receive);
    finish(receive);
    BOOST_TEST(receive.text() == part);
  }
}

BOOST_AUTO_TEST_CASE(a_send_larger_than_the_socket_buffer_goes_on_after_the_peer_reads) {
  std::string bytes(8 << 20, 'x');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>('a' + i % 23);
  std::string arrived;
  std::jthread reader{[&] { arrived = receive_all(far, bytes.size()); }};
  for (std::size_t sent = 0; sent < bytes.size();) {
    operation send{kind::send, near.get()};
    send.buffer(bytes.data() + sent, bytes.size() - sent);
    start(send);
    finish(send);
    BOOST_REQUIRE(send.error() == 0);
    BOOST_REQUIRE(send.result() > 0U);
    sent += send.result();
  }
  reader.join();
  BOOST_TEST((arrived == bytes));
}

BOOST_AUTO_TEST_CASE(what_is_sent_without_an_operation_arrives_or_needs_one) {
  const auto sent = reactor->send_at_once(near.get(), "hello", 5);
  BOOST_REQUIRE((sent == 5 || sent == 0));
  BOOST_TEST(receive_all(far, static_cast<std::size_t>(sent)) == (sent == 5 ? "hello" : ""));
  auto& waiting = send_until_pending(near);
  BOOST_TEST(reactor->send_at_once(near.get(), "x", 1) == 0);  // must not overtake the pending send
  take_back(waiting);
}

BOOST_AUTO_TEST_CASE(a_receive_may_find_bytes_where_the_one_before_left_some,
                     *boost::unit_test::precondition(only_tells_when_to_try)) {
  BOOST_TEST(!reactor->may_receive(near.get()));
  send_all(far, "abc");
  for (const bool left : {true, false}) {
    request receive{kind::receive, near.get(), 2};
    start(receive);
    finish(receive);
    BOOST_TEST(reactor->may_receive(near.get()) == left);
  }
}

BOOST_AUTO_TEST_CASE(data_and_hang_up_in_one_event_lose_nothing) {
  for (const std::size_t room : {std::size_t{3}, std::size_t{100}}) {
    tcp_pair peers;
    BOOST_REQUIRE(reactor->adopt(peers.near.get()) == 0);
    request first{kind::receive, peers.near.get(), room};
    start(first);
    send_all(peers.far, "last words");
    peers.far = {};
    finish(first);
    std::string all = first.text();
    for (;;) {
      request next{kind::receive, peers.near.get(), room};
      start(next);
      finish(next);
      BOOST_REQUIRE(next.error() == 0);
      if (next.result() == 0) break;
      all += next.text();
    }
    BOOST_TEST(all == "last words");
    reactor->forget(peers.near.get());
  }
}

BOOST_AUTO_TEST_CASE(a_peer_that_only_stops_sending_can_still_be_sent_to) {
  request receive{kind::receive, near.get(), 10};
  start(receive);
  ::shutdown(far.get(), SHUT_WR);
  finish(receive);
  BOOST_TEST(receive.error() == 0);
  BOOST_TEST(receive.result() == 0U);
  request send{kind::send, near.get(), "answer"};
  start(send);
  finish(send);
  BOOST_TEST(receive_all(far, 6) == "answer");
}

BOOST_AUTO_TEST_CASE(a_reset_wakes_a_reader_and_a_writer) {
  request receive{kind::receive, near.get(), 10};
  start(receive);
  fill(near);
  auto& stuck = send_until_pending(near);
  reset(far);
  finish(receive);
  finish(stuck);
  request last{kind::send, near.get(), "anybody?"};  // the kernel may have had room for `stuck`
  start(last);
  finish(last);
  BOOST_TEST((receive.error() != 0 || receive.result() == 0));
  BOOST_TEST((stuck.error() != 0 || last.error() != 0));
}

// The second send fails at the latest: io_uring may have only copied the first into a buffer.
BOOST_AUTO_TEST_CASE(sending_to_a_peer_that_is_gone_is_an_error_and_no_signal) {
  reset(far);
  for (int i = 0; i < 2; ++i) {
    request first{kind::send, near.get(), "anybody?"}, second{kind::send, near.get(), "anybody?"};
    start(first);
    finish(first);
    start(second);
    finish(second);
    BOOST_TEST((first.error() != 0 || second.error() != 0));
  }
}

BOOST_AUTO_TEST_CASE(a_reader_and_a_writer_wait_on_one_descriptor) {
  const local_pair peers;
  BOOST_REQUIRE(reactor->adopt(peers.near.get()) == 0);
  request receive{kind::receive, peers.near.get(), 10};
  start(receive);
  const auto filled = fill(peers.near);
  auto& send = send_until_pending(peers.near);
  send_all(peers.far, "hello");
  finish(receive);
  BOOST_TEST(receive.text() == "hello");
  BOOST_TEST(!send.finished());
  receive_all(peers.far, filled);
  finish(send);
  BOOST_TEST(send.error() == 0);
  BOOST_TEST(receive_all(peers.far, sends() * 4096) == std::string(sends() * 4096, 'y'));
  reactor->forget(peers.near.get());
}

BOOST_AUTO_TEST_CASE(a_second_operation_in_one_direction_gets_EBUSY) {
  request first{kind::receive, near.get(), 10}, second{kind::receive, near.get(), 10};
  start(first);
  start(second);
  finish(second);
  BOOST_TEST(second.error() == EBUSY);
  send_all(far, "hello");
  finish(first);
  BOOST_TEST(first.text() == "hello");
}

BOOST_AUTO_TEST_CASE(a_cancelled_operation_comes_back_and_takes_no_bytes) {
  request receive{kind::receive, near.get(), 10};
  start(receive);
  take_back(receive);
  BOOST_TEST(receive.error() == ECANCELED);
  send_all(far, "hello");
  request next{kind::receive, near.get(), 10};
  start(next);
  finish(next);
  BOOST_TEST(next.text() == "hello");
}

BOOST_AUTO_TEST_CASE(forgetting_a_descriptor_ends_what_is_pending_on_it) {
  request receive{kind::receive, near.get(), 10};
  start(receive);
  reactor->forget(near.get());
  finish(receive);
  BOOST_TEST(receive.error() == ECANCELED);
}

// The operation is in a list of the reactor until poll() returns it. If it were finished earlier,
// its owner would destroy it in that list.
BOOST_AUTO_TEST_CASE(a_forgotten_operation_is_the_reactors_until_poll_gives_it_back) {
  request receive{kind::receive, near.get(), 10};
  start(receive);
  reactor->forget(near.get());
  BOOST_TEST(!receive.finished());
  BOOST_TEST(!reactor->cancel(receive));
  finish(receive);
  BOOST_TEST(receive.error() == ECANCELED);
}

BOOST_AUTO_TEST_CASE(a_reused_descriptor_does_not_inherit_an_old_event) {
  const int number = near.get();
  const descriptor duplicate{::dup(number)};  // keeps the old socket and its event alive
  request old{kind::receive, number, 10};
  start(old);
  send_all(far, "for the old one");
  reactor->forget(number);
  tcp_pair fresh;
  checked(::dup2(fresh.near.get(), number), "dup2");
  BOOST_REQUIRE(reactor->adopt(number) == 0);
  request receive{kind::receive, number, 100};
  start(receive);
  finish(old);
  BOOST_TEST(old.error() == ECANCELED);
  poll(5ms);
  BOOST_TEST(!receive.finished());
  send_all(fresh.far, "for the new one");
  finish(receive);
  BOOST_TEST(receive.text() == "for the new one");
}

BOOST_AUTO_TEST_CASE(a_connection_is_accepted_and_fit_for_operations) {
  const listening_socket listener;
  BOOST_REQUIRE(reactor->adopt(listener.socket.get()) == 0);
  operation accept{kind::accept, listener.socket.get()};
  start(accept);
  const auto client = connected_to(listener.port);
  finish(accept);
  BOOST_REQUIRE(accept.error() == 0);
  const descriptor accepted{static_cast<int>(accept.result())};
  BOOST_TEST((::fcntl(accepted.get(), F_GETFD) & FD_CLOEXEC) != 0);
  request receive{kind::receive, accepted.get(), 10};
  start(receive);
  send_all(client, "hello");
  finish(receive);
  BOOST_TEST(receive.text() == "hello");
  reactor->forget(accepted.get());
  reactor->forget(listener.socket.get());
}

BOOST_AUTO_TEST_CASE(who_waits_on_a_number_that_is_closed_and_reused_is_told) {
  const int number = near.get();
  request old{kind::receive, number, 10};
  start(old);
  const tcp_pair fresh;
  checked(::dup2(fresh.near.get(), number), "dup2");  // closes it without forget()
  BOOST_REQUIRE(reactor->adopt(number) == 0);
  finish(old);
  BOOST_TEST(old.error() == ECANCELED);
  request receive{kind::receive, number, 10};
  start(receive);
  send_all(fresh.far, "hello");
  finish(receive);
  BOOST_TEST(receive.text() == "hello");
}

BOOST_AUTO_TEST_CASE(what_is_pending_on_a_descriptor_can_be_cancelled_and_it_can_be_used_again) {
  request receive{kind::receive, near.get(), 10};
  start(receive);
  reactor->cancel_all(near.get());
  finish(receive);
  BOOST_TEST(receive.error() == ECANCELED);
  request next{kind::receive, near.get(), 10};
  start(next);
  send_all(far, "hello");
  finish(next);
  BOOST_TEST(next.text() == "hello");
}

BOOST_AUTO_TEST_CASE(an_accept_takes_one_connection_of_many_and_the_next_one_another) {
  constexpr int many = 30;
  const listening_socket listener;
  BOOST_REQUIRE(reactor->adopt(listener.socket.get()) == 0);
  std::vector<descriptor> clients, accepted;
  for (int i = 0; i < many; ++i) clients.push_back(connected_to(listener.port));
  const int before = count_descriptors();
  for (int i = 1; i <= many; ++i) {
    operation accept{kind::accept, listener.socket.get()};
    start(accept);
    finish(accept);
    BOOST_REQUIRE(accept.error() == 0);
    accepted.emplace_back(static_cast<int>(accept.result()));
    poll(0ns);
    BOOST_REQUIRE(count_descriptors() == before + i);
  }
  for (const auto& each : accepted) reactor->forget(each.get());
  reactor->forget(listener.socket.get());
}

BOOST_AUTO_TEST_CASE(an_accept_that_is_taken_back_leaves_the_connection_in_the_backlog) {
  const listening_socket listener;
  BOOST_REQUIRE(reactor->adopt(listener.socket.get()) == 0);
  operation accept{kind::accept, listener.socket.get()};
  start(accept);
  poll(0ns);
  take_back(accept);
  poll(1ms);
  const auto client = connected_to(listener.port);
  const int before = count_descriptors();
  poll(1ms);
  poll(1ms);
  BOOST_TEST(count_descriptors() == before);
  operation next{kind::accept, listener.socket.get()};
  start(next);
  finish(next);
  BOOST_TEST(next.error() == 0);
  const descriptor accepted{static_cast<int>(next.result())};
  reactor->forget(accepted.get());
  reactor->forget(listener.socket.get());
}

// With many descriptors a poll takes so long that a storm of connects would fill the backlog. (The
// ring accepts one per poll, but its polls stay short.)
BOOST_AUTO_TEST_CASE(where_each_poll_brings_a_connection_some_polls_bring_several,
                     *boost::unit_test::precondition(has_no_ring)) {
  constexpr int connections = 100, most_polls = 40;
  const listening_socket listener;
  BOOST_REQUIRE(reactor->adopt(listener.socket.get()) == 0);
  std::vector<descriptor> clients, accepted;
  for (int i = 0; i < connections; ++i) clients.push_back(connected_to(listener.port));
  int polls = 0;
  while (accepted.size() < connections) {
    operation accept{kind::accept, listener.socket.get()};
    for (start(accept); !accept.finished(); ++polls) poll(1s);
    BOOST_REQUIRE(accept.error() == 0);
    accepted.emplace_back(static_cast<int>(accept.result()));
  }
  BOOST_TEST(polls <= most_polls);
  for (const auto& each : accepted) reactor->forget(each.get());
  reactor->forget(listener.socket.get());
}

// Also, a connection in the backlog does not end a wait while no accept is pending.
BOOST_AUTO_TEST_CASE(an_accept_is_not_followed_by_one_known_to_fail) {
  const listening_socket listener;
  BOOST_REQUIRE(reactor->adopt(listener.socket.get()) == 0);
  const int before = futile_accepts;
  for (int i = 0; i < 20; ++i) {
    operation accept{kind::accept, listener.socket.get()};
    start(accept);
    BOOST_REQUIRE(!accept.finished());
    const auto client = connected_to(listener.port);
    finish(accept);
    const descriptor accepted{static_cast<int>(accept.result())};
    reactor->forget(accepted.get());
  }
  BOOST_TEST(futile_accepts == before);
  const auto waiting = connected_to(listener.port);
  for (int i = 0; i < 3; ++i) poll(1ms);
  const auto begin = std::chrono::steady_clock::now();
  poll(5ms);
  BOOST_TEST((std::chrono::steady_clock::now() - begin >= 5ms));
  operation accept{kind::accept, listener.socket.get()};
  start(accept);
  finish(accept);
  const descriptor accepted{static_cast<int>(accept.result())};
  reactor->forget(accepted.get());
  reactor->forget(listener.socket.get());
}

BOOST_AUTO_TEST_CASE(a_send_that_found_too_little_room_is_not_followed_by_one_known_to_fail,
                     *boost::unit_test::precondition(only_tells_when_to_try)) {
  const int before = futile_sends;
  request first{kind::send, near.get(), std::string(16 << 20, 'x')};
  start(first);
  BOOST_REQUIRE(first.finished());
  BOOST_REQUIRE(first.result() < first.size());
  request second{kind::send, near.get(), "rest"};
  start(second);
  BOOST_TEST(!second.finished());
  BOOST_TEST(futile_sends == before);
  receive_all(far, first.result());
  finish(second);
  BOOST_TEST(receive_all(far, 4) == "rest");
}

BOOST_AUTO_TEST_CASE(what_was_sent_is_the_kernels_though_there_is_no_room_for_more,
                     *boost::unit_test::precondition(only_tells_when_to_try)) {
  fill(near);
  take_back(send_until_pending(near));
  operation sent{kind::wait_sent, near.get()};
  start(sent);
  BOOST_TEST(sent.finished());
  BOOST_TEST(sent.error() == 0);
  if (!sent.finished()) take_back(sent);
}

// Each accept may reallocate the reactor's table of descriptors during the scan of the events.
BOOST_AUTO_TEST_CASE(many_listeners_accept_in_one_poll) {
  constexpr int many = 40;
  std::vector<listening_socket> listeners(many);
  std::vector<descriptor> clients;
  for (int i = 0; i < many; ++i) clients.push_back(new_socket());
  std::list<operation> accepts;
  for (const auto& listener : listeners) {
    BOOST_REQUIRE(reactor->adopt(listener.socket.get()) == 0);
    start(accepts.emplace_back(kind::accept, listener.socket.get()));
  }
  for (std::size_t i = 0; i < many; ++i) connect_to(clients[i], listeners[i].port);
  std::vector<descriptor> accepted;
  for (auto& accept : accepts) {
    finish(accept);
    BOOST_TEST(accept.error() == 0);
    accepted.emplace_back(static_cast<int>(accept.result()));
  }
  for (const auto& listener : listeners) {  // none of them fails with EBUSY
    operation next{kind::accept, listener.socket.get()};
    start(next);
    BOOST_TEST(!next.finished());
    take_back(next);
    reactor->forget(listener.socket.get());
  }
  for (const auto& connection : accepted) reactor->forget(connection.get());
}

BOOST_AUTO_TEST_CASE(connecting_to_a_listener_works) {
  const listening_socket listener;
  const auto address = loopback(listener.port);
  const auto client = new_socket();
  BOOST_REQUIRE(reactor->adopt(client.get()) == 0);
  operation connect{kind::connect, client.get()};
  connect.address(generic(address), sizeof address);
  start(connect);
  finish(connect);
  BOOST_TEST(connect.error() == 0);
  request send{kind::send, client.get(), "hello"};
  start(send);
  finish(send);
  const descriptor server{checked(::accept(listener.socket.get(), nullptr, nullptr), "accept")};
  BOOST_TEST(receive_all(server, 5) == "hello");
  reactor->forget(client.get());
}

BOOST_AUTO_TEST_CASE(connecting_where_nobody_listens_is_refused) {
  const bound_socket nobody;
  const auto address = loopback(nobody.port);
  const auto client = new_socket();
  BOOST_REQUIRE(reactor->adopt(client.get()) == 0);
  operation connect{kind::connect, client.get()};
  connect.address(generic(address), sizeof address);
  start(connect);
  finish(connect);
  BOOST_TEST(connect.error() == ECONNREFUSED);
  reactor->forget(client.get());
}

BOOST_AUTO_TEST_SUITE_END()
