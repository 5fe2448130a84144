// One server under a mixed load for a long time: every byte is right, no descriptor is lost, and in
// a minute or more the memory stays flat.
//
//     SOAK_SECONDS=3600 soak_test -- fibers_echo --io epoll      three seconds if not set
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>

namespace {

using clock_type = std::chrono::steady_clock;

// What the memory may grow by after the first fifth of the time, however long that is: in an hour,
// about 1 KiB per minute.
constexpr long most_growth_kib = 64;

milliseconds length() {
  const auto* given = std::getenv("SOAK_SECONDS");
  return seconds{given == nullptr ? 3 : std::atol(given)};
}

class mixed_load {
 public:
  explicit mixed_load(const server_process& server) : server_{server} {
    while (steady_.size() < 30) steady_.emplace_back(server.port());
  }

  std::size_t steady() const { return steady_.size(); }
  std::size_t bytes() const { return bytes_; }

  // Everything once, about a hundred times per second.
  void round() {
    for (const auto& client : steady_) echo(client, 2'000);
    echo(steady_[random_() % steady_.size()], 200'000);
    const echo_client brief{server_.port()};
    echo(brief, 1'000);
    half_close();
    leave(false);
    leave(true);
    usleep(5'000);
  }

  // Waits until the server has no connections but those of the steady clients.
  bool settles() const { return server_.comes_to(idle_descriptors_ + steady_.size()); }

 private:
  std::string_view some_of(std::size_t most) {
    const auto size = 1 + random_() % most;
    bytes_ += size;
    return std::string_view{message_}.substr(random_() % (message_.size() - size), size);
  }

  void echo(const echo_client& client, std::size_t most) {
    BOOST_REQUIRE(echoes(client, some_of(most)));
  }

  void half_close() {
    const echo_client client{server_.port()};
    const auto sent = some_of(50'000);
    client.send_and_end(sent);
    BOOST_REQUIRE(client.receive_all().bytes == sent);
  }

  // A client that sends and does not wait for the replies.
  void leave(bool resets) {
    echo_client client{server_.port()};
    client.send(some_of(50'000));
    if (resets) client.reset();
  }

  const server_process& server_;
  const std::size_t idle_descriptors_ = server_.descriptors();
  std::vector<echo_client> steady_;
  std::mt19937_64 random_{1};
  const std::string message_ = body(400'000);
  std::size_t bytes_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(under_a_mixed_load_every_byte_is_right_and_nothing_piles_up) {
  // ThreadSanitizer has nothing to find where there is one thread.
  server_process server{
      {"--idle-timeout", "0", "--drain", "1s", "--threads", thread_sanitized ? "2" : "1"}};
  mixed_load load{server};
  const auto begin = clock_type::now();
  const auto warm = begin + length() / 5, end = begin + length();
  std::size_t rounds = 0;
  while (clock_type::now() < warm) load.round(), ++rounds;
  BOOST_TEST(load.settles());
  const auto before = server.resident_kib();
  while (clock_type::now() < end) load.round(), ++rounds;
  BOOST_TEST(load.settles());
  const auto growth = server.resident_kib() - before;
  BOOST_TEST_MESSAGE(
      fmt::format("soaked: {} s, {} rounds, {} bytes echoed, memory {} KiB and {:+} KiB",
                  length().count() / 1000, rounds, load.bytes(), before, growth));
  // In less time, buffers still grow. A sanitizer keeps freed memory.
  if (!sanitized && length() >= seconds{60}) BOOST_TEST(growth <= most_growth_kib);
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
}
