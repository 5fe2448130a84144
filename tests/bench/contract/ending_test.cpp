// How every server ends connections of clients that leave at once and of clients that never read.
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>
#include <tests/scratch_folder.hpp>

namespace {

using clock_type = std::chrono::steady_clock;

constexpr std::size_t crowd = 200;

// Stops the server (SIGSTOP), so that it finds all that the clients do meanwhile at once.
struct standstill {
  explicit standstill(const server_process& held) : server{held} { server.signal(SIGSTOP); }
  ~standstill() { server.signal(SIGCONT); }
  const server_process& server;
};

enum class leaving { close, reset };

void send_and_leave(std::vector<echo_client>& clients, leaving how) {
  for (auto& client : clients) {
    client.send("hello");
    if (how == leaving::reset) client.reset();
  }
  clients.clear();
}

// Waits until the server has at most so many descriptors. False: it keeps more.
bool is_left_with(const server_process& server, std::size_t descriptors) {
  for (const auto until = clock_type::now() + patience; clock_type::now() < until; usleep(5000)) {
    if (server.descriptors() <= descriptors) return true;
  }
  BOOST_TEST_MESSAGE(server.descriptors() - descriptors << " descriptors are left");
  return false;
}

// `connect` makes a client. In two rounds the crowd leaves before the server accepts it; in the two
// others it leaves while the server waits for its second message.
template <class Connect>
void expect_nothing_left_behind(const server_process& server, leaving how, Connect connect) {
  auto first = connect();
  BOOST_REQUIRE(echoes(first, "hello"));
  const auto before = server.descriptors() - 1;
  first.reset();
  BOOST_TEST(is_left_with(server, before));
  for (const bool accepted : {false, true, false, true}) {
    std::vector<echo_client> clients;
    if (accepted) {
      for (std::size_t i = 0; i < crowd; ++i) clients.push_back(connect());
      for (const auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
    }
    {
      const standstill still{server};
      while (clients.size() < crowd) clients.push_back(connect());
      send_and_leave(clients, how);
    }
    BOOST_TEST(is_left_with(server, before));
    BOOST_TEST(echoes(connect(), "hello"));
  }
}

std::ptrdiff_t count_open(const std::vector<echo_client>& clients) {
  return std::count_if(clients.begin(), clients.end(), std::mem_fn(&echo_client::is_established));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ending)

BOOST_AUTO_TEST_CASE(clients_that_send_and_close_at_once_leave_nothing_behind) {
  const server_process server{{"--idle-timeout", "0"}};
  expect_nothing_left_behind(server, leaving::close, [&] { return echo_client{server.port()}; });
}

BOOST_AUTO_TEST_CASE(clients_that_send_and_reset_at_once_leave_nothing_behind) {
  const server_process server{{"--idle-timeout", "0"}};
  expect_nothing_left_behind(server, leaving::reset, [&] { return echo_client{server.port()}; });
}

BOOST_AUTO_TEST_CASE(clients_on_a_path_that_send_and_close_at_once_leave_nothing_behind) {
  const scratch_folder folder;
  const auto path = folder / "socket";
  const server_process server{{"--idle-timeout", "0", "--unix", path}};
  expect_nothing_left_behind(server, leaving::close, [&] { return echo_client{path}; });
}

BOOST_AUTO_TEST_CASE(clients_on_a_path_that_send_and_stop_at_once_get_their_reply_and_the_end) {
  const scratch_folder folder;
  const auto path = folder / "socket";
  const server_process server{{"--idle-timeout", "0", "--unix", path}};
  std::vector<echo_client> clients;
  {
    const standstill still{server};
    while (clients.size() < crowd) {
      clients.emplace_back(path);
      clients.back().send("hello");
      clients.back().end();
    }
  }
  for (const auto& client : clients) BOOST_REQUIRE(client.receive_all().bytes == "hello");
}

// The server's writes block, and it has too few descriptors for all clients. Some clients are not
// accepted before the server has closed the connections of others as idle.
BOOST_AUTO_TEST_CASE(no_connection_of_a_client_that_never_reads_outlives_its_idle_limit) {
  constexpr std::size_t count = 24;
  const server_process server{{"--idle-timeout", "1s", "--buffer", "65536"},
                              server_process::voice::quiet,
                              {.descriptors = 24}};
  std::vector<echo_client> clients;
  while (clients.size() < count) clients.emplace_back(server.port(), "127.0.0.1", 16384);
  BOOST_TEST(count_open(clients) > 0);
  const auto until = clock_type::now() + 3 * patience;  // idle begins when all buffers are full
  while (count_open(clients) > 0 && clock_type::now() < until) {
    for (const auto& client : clients) client.fill();
    usleep(10'000);
  }
  BOOST_TEST(count_open(clients) == 0);
  BOOST_TEST(echoes(echo_client{server.port()}, "hello"));
}

// More receives than a ring of io_uring has entries: each entry has been used before. 17,000 is
// more than the 16,384 that Asio asks for.
BOOST_AUTO_TEST_CASE(a_server_ends_in_time_after_more_messages_than_a_ring_has_entries) {
  server_process server{{"--buffer", "1000", "--drain", "1s"}};
  std::vector<echo_client> clients;
  while (clients.size() < 10) clients.emplace_back(server.port());
  const auto message = body(100'000);
  for (int round = 0; round < 17; ++round)
    for (const auto& client : clients) BOOST_REQUIRE(echoes(client, message));
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
