// io_uring with a ring of so few buffers that they are never enough.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <tests/fibers/reactors/reactor_fixture.hpp>
#if __has_include(<liburing.h>)
#include <fibers/reactors/io_uring.hpp>

using namespace std::chrono_literals;
using kind = operation::kind;

namespace {

constexpr std::size_t buffer_size = 2048;

struct small_ring_fixture : reactor_fixture {
  small_ring_fixture() {
    if (backend() != fibers::io::io_uring) return;
    reactor->forget(near.get());
    reactor = std::make_unique<fibers::io_uring_reactor>(
        fibers::io_uring_reactor::settings{.queue = 8, .buffers = 2, .most_buffers = 2});
    BOOST_REQUIRE(reactor->adopt(near.get()) == 0);
  }

  std::string read(const descriptor& from, std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
      request receive{kind::receive, from.get(), size - bytes.size()};
      start(receive);
      finish(receive);
      BOOST_REQUIRE(receive.result() > 0U);
      bytes += receive.text();
    }
    return bytes;
  }

  // Receives what each far end sends, where all of it finds too few buffers.
  std::list<request> receive_at_once(const std::vector<tcp_pair>& peers, const std::string& sent) {
    std::list<request> receives;
    for (const auto& pair : peers) {
      BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
      start(receives.emplace_back(kind::receive, pair.near.get(), buffer_size));
    }
    poll(0ns);
    for (const auto& pair : peers) send_all(pair.far, sent);
    poll(0ns);
    return receives;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ring, small_ring_fixture, *boost::unit_test::precondition(has_a_ring))

// Twelve receives wait for two buffers. One of the connections is closed while it waits for one.
BOOST_AUTO_TEST_CASE(receives_that_find_no_buffer_get_one_later) {
  const std::vector<tcp_pair> peers(12);
  auto receives = receive_at_once(peers, std::string(buffer_size, 'x'));
  std::size_t at = 0;
  auto given_up = peers.size();
  for (auto& receive : receives) {
    if (!receive.finished() && given_up == peers.size()) {
      given_up = at;
      reactor->forget(receive.descriptor());
    }
    ++at;
  }
  BOOST_REQUIRE(given_up < peers.size());
  at = 0;
  for (auto& receive : receives) {
    finish(receive);
    if (at++ == given_up) {
      BOOST_TEST(receive.error() == ECANCELED);
    } else {
      BOOST_TEST(receive.text() == std::string(receive.result(), 'x'));
      BOOST_TEST(receive.result() > 0U);
    }
  }
  for (const auto& pair : peers) reactor->forget(pair.near.get());
}

BOOST_AUTO_TEST_CASE(bytes_that_wait_aside_are_read_in_order_again_and_again) {
  for (int round = 0; round < 10; ++round) {
    request first{kind::receive, near.get(), std::size_t{1}};
    start(first);
    poll(0ns);
    std::string sent;
    for (int i = 0; i < 3; ++i) {
      const std::string part(100, static_cast<char>('a' + i));
      send_all(far, part);
      sent += part;
      poll(1ms);
    }
    finish(first);
    BOOST_TEST(first.text() + read(near, sent.size() - 1) == sent);
  }
}

// Nothing of them has come to the reactor.
BOOST_AUTO_TEST_CASE(bytes_that_found_no_buffer_are_left_to_who_takes_the_stream_over) {
  std::vector<tcp_pair> peers(3);
  for (const auto& pair : peers) {
    BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
    request first{kind::receive, pair.near.get(), std::size_t{1}};
    start(first);
    send_all(pair.far, "a");
    finish(first);
  }
  request receive{kind::receive, near.get(), 10};
  start(receive);
  poll(0ns);
  for (const auto& pair : peers) send_all(pair.far, std::string(2 * buffer_size, 'b'));
  send_all(far, "hello");
  for (std::size_t i = 0; i < 2; ++i) reactor->forget(peers[i].near.get());
  const int error = reactor->hand_over(near.get());
  finish(receive);
  BOOST_TEST(receive.error() == ECANCELED);
  if (error == 0) {
    BOOST_TEST(receive_all(near, 5) == "hello");
    BOOST_REQUIRE(reactor->adopt(near.get()) == 0);
  } else {
    BOOST_TEST(read(near, 5) == "hello");
  }
  reactor->forget(peers[2].near.get());
}

// Twelve receives wait for two buffers. A connection that waits for its turn is taken over, and its
// turn, when it comes, means nothing.
BOOST_AUTO_TEST_CASE(a_stream_that_waits_for_its_turn_can_be_taken_over) {
  const std::string sent(buffer_size, 'x');
  const std::vector<tcp_pair> peers(12);
  auto receives = receive_at_once(peers, sent);
  const auto waiting =
      std::ranges::find_if(receives, [](const request& each) { return !each.finished(); });
  BOOST_REQUIRE((waiting != receives.end()));
  const auto& taken = *std::ranges::find_if(
      peers, [&](const tcp_pair& each) { return each.near.get() == waiting->descriptor(); });
  BOOST_REQUIRE(reactor->hand_over(waiting->descriptor()) == 0);
  BOOST_TEST(receive_all(taken.near, buffer_size) == sent);
  for (auto& receive : receives) {
    finish(receive);
    BOOST_TEST(receive.error() == (&receive == &*waiting ? ECANCELED : 0));
  }
  for (const auto& pair : peers) reactor->forget(pair.near.get());
}

// A peer that sends without end has no more than one buffer per poll then, and the others have
// their turns between.
BOOST_AUTO_TEST_CASE(where_the_ring_ran_empty_one_buffer_is_taken_of_each_peer) {
  constexpr std::size_t sent = 8 * buffer_size;
  struct talker {
    tcp_pair pair;
    std::unique_ptr<request> receive;
    std::size_t read = 0;
    std::size_t taken = 0;
  };
  std::list<talker> talkers(6);
  const auto receive = [&](talker& from) {
    start(*(from.receive =
                std::make_unique<request>(kind::receive, from.pair.near.get(), buffer_size)));
  };
  for (auto& each : talkers) {
    BOOST_REQUIRE(reactor->adopt(each.pair.near.get()) == 0);
    send_all(each.pair.far, std::string(sent, 'x'));
    receive(each);
  }
  std::size_t polls = 0, left = talkers.size() * sent;
  for (; left > 0 && polls < 1'000; ++polls) {
    poll(1s);
    for (auto& each : talkers) {
      while (each.receive->finished() && each.read < sent) {
        BOOST_REQUIRE(each.receive->result() > 0U);
        each.read += each.receive->result();
        left -= each.receive->result();
        if (each.read < sent) receive(each);
      }
      const auto taken = each.read + reactor->unread(each.pair.near.get());
      if (polls > 0) BOOST_TEST(taken - each.taken <= buffer_size);
      each.taken = taken;
    }
  }
  BOOST_TEST(left == 0U);
  for (const auto& each : talkers) reactor->forget(each.pair.near.get());
}

// The ring does not grow for a peer that fills its buffers while others give theirs back. Here
// nobody does.
BOOST_AUTO_TEST_CASE(a_peer_that_fills_its_buffers_is_heard_though_unread_data_holds_all_others) {
  constexpr std::size_t buffers = 2048, most_of_one = 32;
  reactor->forget(near.get());
  reactor = std::make_unique<fibers::io_uring_reactor>(
      fibers::io_uring_reactor::settings{.queue = 256, .buffers = buffers, .most_buffers = 8192});
  BOOST_REQUIRE(reactor->adopt(near.get()) == 0);
  const auto receives_one = [&] {
    request receive{kind::receive, near.get(), buffer_size};
    start(receive);
    send_all(far, std::string(buffer_size, 'x'));
    finish(receive);
    BOOST_TEST(receive.result() == buffer_size);
  };
  receives_one();
  std::list<tcp_pair> peers(3 * buffers / most_of_one);
  std::list<request> receives;
  for (const auto& pair : peers) {
    BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
    start(receives.emplace_back(kind::receive, pair.near.get(), std::size_t{1}));
  }
  poll(0ns);
  auto left = buffers;
  for (const auto& pair : peers) {
    if (left == 0) break;
    send_all(pair.far, std::string(std::min(left, most_of_one) * buffer_size, 'y'));
    for (int i = 0; i < 3; ++i) poll(1ms);
    left -= (reactor->unread(pair.near.get()) + buffer_size - 1) / buffer_size;
  }
  BOOST_REQUIRE(left == 0U);
  receives_one();
  for (const auto& pair : peers) reactor->forget(pair.near.get());
}

BOOST_AUTO_TEST_SUITE_END()
#endif
