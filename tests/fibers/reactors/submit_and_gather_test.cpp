// io_uring: sleeps that go on until several messages are there, and sends that say nothing.
#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <tests/fibers/reactors/reactor_fixture.hpp>
#include <tests/fibers/waits.hpp>
#if __has_include(<liburing.h>)
#include <fibers/local.hpp>
#include <fibers/reactors/io_uring.hpp>
#include <fibers/reactors/submit_and_gather.hpp>
#include <fibers/scheduler.hpp>

#include <array>
#include <boost/asio/write.hpp>

using namespace std::chrono_literals;
using kind = operation::kind;
using std::chrono::steady_clock;

namespace {

// A ring that always waits for three messages, for a second at most.
struct gathering_ring : reactor_fixture {
  gathering_ring() {
    if (backend() != fibers::io::io_uring) return;
    take(1s, 3);
    for (const auto& pair : others) BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
  }
  ~gathering_ring() {
    for (const auto& pair : others) reactor->forget(pair.near.get());
  }

  void take(fibers::gather how, unsigned least) {
    reactor->forget(near.get());
    fibers::io_uring_reactor::settings wanted;
    wanted.gather = how;
    wanted.least_gathered = least;
    reactor = std::make_unique<fibers::io_uring_reactor>(wanted);
    BOOST_REQUIRE(reactor->adopt(near.get()) == 0);
  }

  // One receive per connection, none of which finds anything.
  void receive_everywhere() {
    start(receives.emplace_back(kind::receive, near.get(), std::size_t{10}));
    for (const auto& pair : others)
      start(receives.emplace_back(kind::receive, pair.near.get(), std::size_t{10}));
    poll(0ns);
  }
  void take_all_back() {
    for (auto& each : receives)
      if (!each.finished()) take_back(each);
  }
  std::ptrdiff_t arrived() const {
    return std::count_if(receives.begin(), receives.end(), [](auto& r) { return r.finished(); });
  }

  steady_clock::duration duration_of_poll(std::optional<std::chrono::nanoseconds> timeout) {
    const auto begin = steady_clock::now();
    poll(timeout);
    return steady_clock::now() - begin;
  }

  std::list<tcp_pair> others{3};
  std::list<request> receives;
};

boost::test_tools::assertion_result can_gather(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result can{false};
  can.message() << "only io_uring gathers, from Linux 6.12 on";
  if (backend() != fibers::io::io_uring) return can;
  io_uring ring{};
  if (io_uring_queue_init(8, &ring, 0) != 0) return can;
  const bool does = fibers_can_gather(&ring);
  io_uring_queue_exit(&ring);
  return does ? boost::test_tools::assertion_result{true} : can;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gathering_sleeps, gathering_ring,
                         *boost::unit_test::precondition(can_gather))

BOOST_AUTO_TEST_CASE(one_sleep_brings_messages_that_come_one_after_another) {
  receive_everywhere();
  const waits seen;
  const std::jthread later{[&] {
    seen.until_asleep();
    for (const auto& pair : others) {
      send_all(pair.far, "hello");
      std::this_thread::sleep_for(1ms);
    }
  }};
  poll(std::nullopt);
  BOOST_TEST(arrived() == 3);
  BOOST_TEST(seen.count() == 1);
  take_all_back();
}

BOOST_AUTO_TEST_CASE(too_few_messages_are_there_when_the_window_has_passed) {
  take(50ms, 3);
  start(receives.emplace_back(kind::receive, near.get(), std::size_t{10}));
  poll(0ns);
  send_all(far, "hello");
  const waits seen;
  const auto took = duration_of_poll(std::nullopt);
  BOOST_TEST(arrived() == 1);
  BOOST_TEST(seen.count() == 1);
  BOOST_TEST((took >= 45ms));
  BOOST_TEST((took < 5s));
}

BOOST_AUTO_TEST_CASE(a_message_that_comes_after_the_window_ends_the_sleep) {
  take(1ms, 3);
  start(receives.emplace_back(kind::receive, near.get(), std::size_t{10}));
  poll(0ns);
  const waits seen;
  const std::jthread later{[&] {
    seen.until_asleep();
    std::this_thread::sleep_for(20ms);
    send_all(far, "hello");
  }};
  poll(std::nullopt);
  BOOST_TEST(arrived() == 1);
  BOOST_TEST(seen.count() == 1);
}

// A wait for the window would take a second. The best of three, since the machine may be busy.
BOOST_AUTO_TEST_CASE(a_deadline_ends_the_window) {
  auto best = duration_of_poll(20ms);
  for (int i = 0; i < 2; ++i) best = std::min(best, duration_of_poll(20ms));
  BOOST_TEST((best >= 20ms));
  BOOST_TEST((best < 500ms));
}

BOOST_AUTO_TEST_CASE(an_interrupt_is_heard_when_the_window_has_passed) {
  take(20ms, 3);
  reactor->interrupt();
  BOOST_TEST((duration_of_poll(std::nullopt) < 5s));
}

BOOST_AUTO_TEST_CASE(what_is_there_is_not_waited_for) {
  receive_everywhere();
  for (const auto& pair : others) send_all(pair.far, "hello");
  BOOST_TEST((duration_of_poll(std::nullopt) < 900ms));
  BOOST_TEST(arrived() == 3);
  take_all_back();
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

boost::test_tools::assertion_result can_choose(boost::unit_test::test_unit_id self) {
  if (!fibers::io_uring_reactor::forced) return can_gather(self);
  boost::test_tools::assertion_result no{false};
  no.message() << "this ring gathers as it was told to";
  return no;
}

// Echoes for a crowd, which teaches the loop that messages come together, and then for one of it.
// Returns the longest time that one or all waited. (A loop that has gathered in vain during the
// crowd no longer does so at its end.)
steady_clock::duration longest_wait_for_replies(fibers::gather how) {
  constexpr int crowd = 20, rounds = 16;
  std::list<local_pair> pairs(crowd);
  fibers::scheduler scheduler{{.backend = backend(), .gather = how}};
  for (auto& pair : pairs) {
    scheduler.spawn([near = checked(::dup(pair.near.get()), "dup")] {
      auto stream = fibers::local::stream::from_descriptor(near);
      std::array<char, 10> bytes;
      boost::system::error_code end;
      while (const auto size = stream.read_some(boost::asio::buffer(bytes), end))
        boost::asio::write(stream, boost::asio::buffer(bytes, size));
    });
  }
  steady_clock::duration waited{};
  const auto ask = [&](std::size_t count) {
    const auto sent = steady_clock::now();
    auto last = pairs.begin();
    for (std::size_t i = 0; i < count; ++i) send_all((last++)->far, "hello");
    for (auto each = pairs.begin(); each != last; ++each) receive_all(each->far, 5);
    waited = std::max(waited, steady_clock::now() - sent);
  };
  std::jthread peer{[&] {
    for (int i = 0; i < rounds; ++i) ask(crowd);
    ask(1);
    for (auto& pair : pairs) pair.far = descriptor{};
  }};
  scheduler.run();
  peer.join();
  return waited;
}

}  // namespace

// The best of three where it should be short, since the machine may be busy.
BOOST_AUTO_TEST_CASE(a_scheduler_gathers_as_its_options_say,
                     *boost::unit_test::precondition(can_choose)) {
  BOOST_TEST((longest_wait_for_replies(200ms) >= 150ms));
  for (const auto how : {fibers::gather::off, fibers::gather::automatic}) {
    auto best = longest_wait_for_replies(how);
    for (int i = 0; i < 2; ++i) best = std::min(best, longest_wait_for_replies(how));
    BOOST_TEST((best < 150ms));
  }
}

namespace {

struct quiet_ring : reactor_fixture {
  quiet_ring() {
    if (backend() != fibers::io::io_uring) return;
    reactor->forget(near.get());
    fibers::io_uring_reactor::settings wanted;
    wanted.queue = 8;
    wanted.gather = fibers::gather::off;
    wanted.send_straight_from = std::numeric_limits<std::size_t>::max();
    reactor = std::make_unique<fibers::io_uring_reactor>(wanted);
    BOOST_REQUIRE(reactor->adopt(near.get()) == 0);
  }

  // Sends more than the sockets hold, as far as no send has to wait. Returns what was sent.
  std::string fill() {
    std::string sent;
    for (request* last = nullptr; last == nullptr;) {
      auto& next = sends.emplace_back(kind::send, near.get(), std::string(5000, next_letter));
      next_letter = next_letter == 'z' ? 'a' : static_cast<char>(next_letter + 1);
      if (!reactor->submit(next)) last = &next;
      sent += next.bytes;
      poll(0ns);
      if (last != nullptr && last->finished()) last = nullptr;  // it waited for the one before
    }
    return sent;
  }

  // Lets a peer read all of it.
  void expect_at_far_end(const std::string& sent) {
    std::string got;
    std::atomic<bool> whole{false};
    const std::jthread peer{[&] {
      got = receive_all(far, sent.size());
      whole = true;
    }};
    finish(sends.back());
    while (!whole) poll(1ms);
    BOOST_TEST(got == sent);
  }

  std::list<request> sends;
  char next_letter = 'a';
};

boost::test_tools::assertion_result many_descriptors(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result has{descriptor_limit{}.most() >= 5'000 &&
                                          backend() == fibers::io::io_uring};
  has.message() << "no io_uring, or fewer than 5000 descriptors";
  return has;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(quiet_sends, quiet_ring, *boost::unit_test::precondition(has_a_ring))

BOOST_AUTO_TEST_CASE(an_answered_message_costs_one_call) {
  constexpr int messages = 200;
  request first{kind::receive, near.get(), std::size_t{10}};
  start(first);
  poll(0ns);
  const waits seen;
  const std::jthread peer{[&] {
    for (int i = 0; i < messages; ++i) {
      send_all(far, "hello");
      receive_all(far, 5);
    }
  }};
  finish(first);
  for (int i = 1; i < messages; ++i) {
    request send{kind::send, near.get(), "hello"},
        receive{kind::receive, near.get(), std::size_t{10}};
    start(send);
    start(receive);
    finish(receive);
    BOOST_REQUIRE(receive.text() == "hello");
  }
  request last{kind::send, near.get(), "hello"};
  start(last);
  poll(0ns);
  BOOST_TEST(seen.count() == messages + 1);
}

BOOST_AUTO_TEST_CASE(a_send_that_finds_no_room_is_sent_whole_when_there_is_some) {
  const auto sent = fill();
  expect_at_far_end(sent);
}

BOOST_AUTO_TEST_CASE(more_sends_than_the_queue_holds_all_arrive) {
  std::list<tcp_pair> peers(30);
  for (const auto& pair : peers) {
    BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
    start(sends.emplace_back(kind::send, pair.near.get(), "hello"));
  }
  poll(0ns);
  for (const auto& pair : peers) {
    BOOST_TEST(receive_all(pair.far, 5) == "hello");
    reactor->forget(pair.near.get());
  }
}

BOOST_AUTO_TEST_CASE(who_waits_until_all_is_sent_is_not_left_asleep) {
  request send{kind::send, near.get(), "hello"};
  operation sent{kind::wait_sent, near.get()};
  start(send);
  start(sent);
  BOOST_TEST(!sent.finished());
  const waits seen;
  poll(std::nullopt);
  BOOST_TEST(sent.finished());
  BOOST_TEST(seen.count() == 1);
  BOOST_TEST(receive_all(far, 5) == "hello");
}

// Before the close the kernel has heard of nothing. The socket has room for a part of it.
BOOST_AUTO_TEST_CASE(what_was_sent_before_a_close_arrives_whole) {
  const int little = 4096;
  local_pair pair;
  ::setsockopt(pair.near.get(), SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
  BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
  request send{kind::send, pair.near.get(), std::string(16'384, 'x')};
  BOOST_REQUIRE(reactor->submit(send));
  BOOST_REQUIRE(send.result() == send.bytes.size());
  reactor->forget(pair.near.get());
  pair.near = descriptor{};
  std::string got;
  std::jthread peer{[&] { got = receive_all(pair.far, send.bytes.size() + 1); }};
  reactor->drain();
  peer.join();
  BOOST_TEST(got == send.bytes);
}

// The queue of completions has room for 4096. So many others come first that the failure of a send
// waits in the kernel when the poll looks at it.
BOOST_AUTO_TEST_CASE(a_failure_that_found_no_room_among_the_completions_is_no_success,
                     *boost::unit_test::precondition(many_descriptors)) {
  const descriptor_limit enough{5'000};
  const local_pair full;
  BOOST_REQUIRE(reactor->adopt(full.near.get()) == 0);
  const std::string bytes(16'384, 'x');
  auto in_all = bytes.size();
  for (ssize_t sent = 0; sent >= 0; in_all += static_cast<std::size_t>(std::max<ssize_t>(0, sent)))
    sent = ::send(full.near.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  const local_pair any;
  std::list<descriptor> many;
  std::list<operation> waiting;
  for (int i = 0; i < 4'200; ++i) {
    many.emplace_back(checked(::dup(any.near.get()), "dup"));
    start(waiting.emplace_back(kind::wait_writable, many.back().get()));
  }
  request send{kind::send, full.near.get(), bytes};
  operation all_sent{kind::wait_sent, full.near.get()};
  BOOST_REQUIRE(reactor->submit(send));
  start(all_sent);
  poll(0ns);
  BOOST_TEST(!all_sent.finished());
  std::size_t got = 0;
  std::jthread peer{[&] { got = receive_all(full.far, in_all).size(); }};
  finish(all_sent);
  for (auto& each : waiting)
    if (!each.finished()) finish(each);
  for (const auto& each : many) reactor->forget(each.get());
  reactor->forget(full.near.get());
  peer.join();
  BOOST_TEST(got == in_all);
}

BOOST_AUTO_TEST_SUITE_END()
#endif
