// accept() beside other fibers, and when no descriptor is left.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <tests/fibers/tcp_fixture.hpp>

namespace {

// An echo server: a fiber per connection.
void serve(fibers::scheduler& scheduler, tcp::listener& listener) {
  for (;;) {
    scheduler.spawn("session", [stream = listener.accept()]() mutable {
      std::array<char, 1000> buffer;
      error_code error;
      while (auto n = stream.read_some(asio::buffer(buffer), error)) {
        asio::write(stream, asio::buffer(buffer, n), error);
        if (error) break;
      }
    });
  }
}

struct without_descriptors : tcp_fixture {
  // Starts an accept that waits because no descriptor is left, calls `end`, and returns the error.
  error_code end_an_accept(const std::function<void()>& end) {
    const auto client = connected_to(port);
    const descriptor_limit limit;
    auto accepting = scheduler.spawn([&] {
      limit.use_up();
      error_code error;
      listener.accept(error);
      return error;
    });
    scheduler.spawn([&] {
      this_fiber::sleep_for(3ms);
      end();
    });
    scheduler.run();
    return accepting.join();
  }
};

}  // namespace

// Each accepted connection is mostly a new fiber, and the others would wait for all of them. While
// the first one sleeps, the loop hears that there are more, so none of these has to wait. (poll and
// select take one per call here, and up to 32 in a storm.)
BOOST_FIXTURE_TEST_CASE(a_fiber_that_accepts_gives_way_after_eight, tcp_fixture) {
  constexpr int connections = 40, most_in_a_row = 8;
  std::vector<descriptor> clients;
  for (int i = 0; i < connections; ++i) clients.push_back(connected_to(port));
  int accepted = 0, seen = 0, most = 0;
  scheduler.spawn("listener", [&] {
    for (; accepted < connections; ++accepted) {
      listener.accept();
      if (accepted == 0) this_fiber::sleep_for(3ms);
    }
  });
  scheduler.spawn("client", [&] { this_fiber::wait_readable(clients.back().get()); });
  scheduler.spawn("other", [&] {
    while (accepted < connections) {
      this_fiber::yield();
      most = std::max(most, accepted - std::exchange(seen, accepted));
    }
  });
  scheduler.run();
  BOOST_TEST(most <= most_in_a_row);
}

BOOST_FIXTURE_TEST_SUITE(without_a_descriptor, without_descriptors)

BOOST_AUTO_TEST_CASE(a_server_lives_on_and_serves_when_there_is_one_again) {
  const auto first = connected_to(port);
  const auto second = connected_to(port);
  const descriptor_limit limit;
  limit.use_up();
  auto serving = scheduler.spawn("listener", [&] { serve(scheduler, listener); });
  scheduler.spawn("clients", [&] {
    send_all(first, "hello");
    send_all(second, "world");
    this_fiber::sleep_for(25ms);
    BOOST_TEST(!serving.done());
    limit.put_back();
    for (const auto* client : {&first, &second}) {
      BOOST_REQUIRE(this_fiber::wait_readable_for(client->get(), patience));
    }
    BOOST_TEST(receive_all(first, 5) == "hello");
    BOOST_TEST(receive_all(second, 5) == "world");
    scheduler.stop();
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_cancel_ends_an_accept) {
  BOOST_TEST(end_an_accept([&] { listener.cancel(); }) == asio::error::operation_aborted);
  BOOST_TEST(listener.is_open());
}

BOOST_AUTO_TEST_CASE(a_close_ends_an_accept) {
  BOOST_TEST(end_an_accept([&] { listener.close(); }) == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(a_time_limit_ends_an_accept) {
  BOOST_TEST(end_an_accept([&] { listener.expires_after(1ms); }) == asio::error::timed_out);
}

BOOST_AUTO_TEST_SUITE_END()
