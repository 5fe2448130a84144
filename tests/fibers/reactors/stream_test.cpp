// Streams: much memory per call, and more bytes than one buffer of a ring holds.
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

#include <tests/fibers/reactors/reactor_fixture.hpp>

#if __has_include(<liburing.h>)
#include <fibers/reactors/io_uring.hpp>
#endif

namespace {

using kind = operation::kind;
using namespace std::chrono_literals;

constexpr std::size_t much = std::size_t{64} * 1024;

// On a ring with the usual settings, whatever this run forces on the others.
struct stream_fixture : reactor_fixture {
#if __has_include(<liburing.h>)
  stream_fixture() {
    if (backend() != fibers::io::io_uring) return;
    reactor->forget(near.get());
    reactor = std::make_unique<fibers::io_uring_reactor>();
    BOOST_REQUIRE(reactor->adopt(near.get()) == 0);
  }
#endif

  std::string receive(std::size_t room) {
    request next{kind::receive, near.get(), room};
    start(next);
    finish(next);
    BOOST_REQUIRE(next.error() == 0);
    return next.text();
  }

  // Returns how many receives that took.
  int receive_whole(const std::string& sent) {
    send_all(far, sent);
    std::string got;
    int count = 0;
    for (; got.size() < sent.size(); ++count) got += receive(much);
    BOOST_TEST(got == sent);
    return count;
  }

  // A request that the reactor has forgotten would keep the connection open.
  void expect_end_after_close() {
    reactor->forget(near.get());
    near = descriptor{};
    pollfd end{.fd = far.get(), .events = POLLIN, .revents = 0};
    BOOST_TEST(::poll(&end, 1, 5'000) == 1);
    if (end.revents != 0) BOOST_TEST(receive_all(far, 1).empty());
  }

  // Returns how many bytes lie before it.
  std::size_t give_up_a_send() {
    const auto size = fill_to_the_brim(near);
    request given_up{kind::send, near.get(), std::string(much, 'x')};
    start(given_up);
    poll(0ns);
    take_back(given_up);
    BOOST_TEST(given_up.error() == ECANCELED);
    return size;
  }

  void become_a_stream() {
    for (int i = 0; i < 3; ++i) receive_whole(std::string(10'000, 'x'));
  }
};

std::string numbers(std::size_t size) {
  std::string bytes;
  for (int i = 0; bytes.size() < size; ++i) bytes += std::to_string(i) + ' ';
  bytes.resize(size);
  return bytes;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(streams, stream_fixture)

BOOST_AUTO_TEST_CASE(a_receive_takes_all_that_has_come) {
  become_a_stream();
  BOOST_TEST(receive_whole(numbers(30'000)) == 1);
  BOOST_TEST(receive_whole(numbers(3'000)) == 1);
}

BOOST_AUTO_TEST_CASE(a_message_longer_than_a_buffer_comes_whole_after_the_first) {
  receive_whole(numbers(3'000));
  for (int i = 0; i < 3; ++i) {
    request next{kind::receive, near.get(), much};
    start(next);
    poll(0ns);
    send_all(far, numbers(3'000));
    finish(next);
    BOOST_TEST(next.text() == numbers(3'000));
  }
}

BOOST_AUTO_TEST_CASE(a_receive_into_several_buffers_takes_all_that_has_come) {
  become_a_stream();
  const auto sent = numbers(30'000);
  send_all(far, sent);
  std::string got(much, '\0');
  const std::array<iovec, 3> parts{
      {{got.data(), 10}, {got.data() + 10, 20'000}, {got.data() + 20'010, 30'000}}};
  operation receive{kind::receive, near.get()};
  receive.buffers(parts.data(), parts.size(), 50'010);
  start(receive);
  finish(receive);
  BOOST_TEST(got.substr(0, receive.result()) == sent);
}

BOOST_AUTO_TEST_CASE(a_send_takes_all_that_there_is_room_for) {
  const auto sent = numbers(50'000);
  request send{kind::send, near.get(), sent};
  start(send);
  finish(send);
  BOOST_TEST(send.result() == sent.size());
  BOOST_TEST(receive_all(far, sent.size()) == sent);
}

BOOST_AUTO_TEST_CASE(a_send_that_finds_no_room_goes_on_when_there_is_some) {
  const auto size = fill_to_the_brim(near);
  const auto sent = numbers(much);
  request send{kind::send, near.get(), sent};
  start(send);
  poll(1ms);
  BOOST_TEST(!send.finished());
  BOOST_TEST(receive_all(far, size).size() == size);
  finish(send);
  BOOST_TEST(send.result() > 0U);
  BOOST_TEST(receive_all(far, send.result()) == sent.substr(0, send.result()));
}

BOOST_AUTO_TEST_CASE(a_send_that_waits_for_room_is_the_only_one) {
  const auto size = fill_to_the_brim(near);
  request first{kind::send, near.get(), std::string(much, 'x')};
  start(first);
  for (const std::size_t bytes : {std::size_t{1}, much}) {
    request second{kind::send, near.get(), std::string(bytes, 'y')};
    BOOST_TEST(reactor->submit(second));
    BOOST_TEST(second.error() == EBUSY);
  }
  receive_all(far, size);
  finish(first);
  BOOST_TEST(receive_all(far, first.result()) == std::string(first.result(), 'x'));
}

BOOST_AUTO_TEST_CASE(a_send_that_is_taken_back_while_it_waits_for_room_sends_nothing) {
  const auto size = give_up_a_send();
  BOOST_TEST(receive_all(far, size).size() == size);
  poll(1ms);
  request next{kind::send, near.get(), "next"};
  start(next);
  finish(next);
  BOOST_TEST(receive_all(far, 4) == "next");
  expect_end_after_close();
}

BOOST_AUTO_TEST_CASE(a_small_send_after_one_that_was_taken_back_outlives_a_close) {
  const auto size = give_up_a_send();
  request last{kind::send, near.get(), "last"};
  if (!reactor->submit(last)) {  // the socket is full, and this reactor copies nothing
    take_back(last);
    return;
  }
  reactor->forget(near.get());
  near = descriptor{};
  std::string got;
  std::jthread peer{[&] { got = receive_all(far, size + 5); }};
  reactor->drain();
  peer.join();
  BOOST_TEST(got.substr(size) == "last");
}

BOOST_AUTO_TEST_CASE(a_receive_of_a_stream_that_is_taken_back_leaves_the_bytes_to_the_next) {
  for (const std::size_t room : {std::size_t{10}, much}) {
    become_a_stream();
    request given_up{kind::receive, near.get(), much};
    start(given_up);
    poll(0ns);
    take_back(given_up);
    BOOST_TEST(given_up.error() == ECANCELED);
    send_all(far, "hello");
    poll(1ms);
    BOOST_TEST(receive(room) == "hello");
  }
  request given_up{kind::receive, near.get(), much};
  become_a_stream();
  start(given_up);
  poll(0ns);
  take_back(given_up);
  expect_end_after_close();
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_handed_over_takes_its_bytes_along) {
  become_a_stream();
  request receive{kind::receive, near.get(), much};
  start(receive);
  poll(0ns);
  send_all(far, "hello");
  BOOST_TEST(reactor->hand_over(near.get()) == 0);
  finish(receive);
  BOOST_TEST(receive.error() == ECANCELED);
  BOOST_TEST(receive_all(near, 5) == "hello");
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_closed_under_a_receive_and_a_send_ends_both) {
  become_a_stream();
  request receive{kind::receive, near.get(), much}, send{kind::send, near.get(), much};
  fill_to_the_brim(near);
  start(receive);
  start(send);
  poll(0ns);
  reactor->forget(near.get());
  near = descriptor{};
  finish(receive);
  finish(send);
  BOOST_TEST(receive.error() == ECANCELED);
  BOOST_TEST(send.error() == ECANCELED);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_stream_and_its_reset_are_told) {
  become_a_stream();
  request last{kind::receive, near.get(), much};
  start(last);
  poll(0ns);
  ::shutdown(far.get(), SHUT_WR);
  finish(last);
  BOOST_TEST(last.result() == 0U);
  BOOST_TEST(last.error() == 0);
  BOOST_TEST(receive(much).empty());
  fill_to_the_brim(near);
  int error = 0;
  for (bool first = true; error == 0; first = false) {
    request send{kind::send, near.get(), much};
    start(send);
    poll(0ns);
    if (first) reset(far);
    finish(send);
    error = send.error();
  }
  BOOST_TEST((error == ECONNRESET || error == EPIPE));
}

// A ring takes the bytes of small messages before they are asked for, and leaves those of a stream.
BOOST_AUTO_TEST_CASE(a_ring_receives_ahead_again_once_the_messages_are_small,
                     *boost::unit_test::precondition(has_a_ring)) {
  become_a_stream();
  const auto comes_ahead = [&] {
    request ahead{kind::receive, near.get(), much};
    start(ahead);
    poll(0ns);
    take_back(ahead);
    send_all(far, "x");
    poll(1ms);
    const auto bytes = reactor->unread(near.get());
    BOOST_TEST(receive(much) == "x");
    return bytes == 1;
  };
  for (int i = 0; i < 4; ++i) BOOST_TEST(!comes_ahead());
  BOOST_TEST(comes_ahead());
}

// Whatever was received ahead comes before what is still in the socket.
BOOST_AUTO_TEST_CASE(calls_of_any_sizes_move_all_bytes_in_order) {
  std::mt19937 random{1};
  const std::array<std::size_t, 7> sizes{1, 10, 2'047, 2'048, 2'049, 9'000, 100'000};
  const auto any_size = [&] { return sizes[random() % sizes.size()]; };
  const auto all = numbers(3'000'000);
  std::jthread echo{[&] {
    std::array<char, 5'000> bytes;
    for (std::size_t left = all.size(); left > 0;) {
      const auto count = ::recv(far.get(), bytes.data(), bytes.size(), 0);
      if (count <= 0) return;
      send_all(far, {bytes.data(), static_cast<std::size_t>(count)});
      left -= static_cast<std::size_t>(count);
    }
  }};
  std::string got;
  std::size_t sent = 0;
  std::optional<request> send, receive;
  while (got.size() < all.size()) {
    if (!receive) start(receive.emplace(kind::receive, near.get(), any_size()));
    if (!send && sent < all.size())
      start(send.emplace(kind::send, near.get(), all.substr(sent, any_size())));
    if (!receive->finished() && random() % 8 == 0) take_back(*receive);
    if (receive->finished()) {
      BOOST_REQUIRE((receive->error() == 0 || receive->error() == ECANCELED));
      got += receive->text();
      receive.reset();
    }
    if (send && send->finished()) {
      BOOST_REQUIRE(send->error() == 0);
      sent += send->result();
      send.reset();
    }
    poll(0ns);
  }
  BOOST_TEST((got == all));
  if (receive) take_back(*receive);
}

BOOST_AUTO_TEST_SUITE_END()
