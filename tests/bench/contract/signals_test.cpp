// What signals do to every server, and what it says when other machines can reach it.
#include <unistd.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>
#include <tests/scratch_folder.hpp>

namespace {

using clock_type = std::chrono::steady_clock;

// Waits until the server accepts nobody any more. False: it goes on.
bool stops_listening(const server_process& server) {
  for (const auto until = clock_type::now() + patience; clock_type::now() < until; usleep(5000)) {
    try {
      echo_client{server.port()};
    } catch (const std::system_error&) {
      return true;
    }
  }
  return false;
}

// What the server answers until the connection ends, orderly or not, without the prefixes.
std::string replies_to(const echo_client& client) {
  try {
    return client.receive_all().bytes;
  } catch (const std::system_error&) {
    return {};
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signals)

BOOST_AUTO_TEST_CASE(a_hangup_drains_as_sigterm_does) {
  server_process server;
  const echo_client client{server.port()};
  BOOST_REQUIRE(echoes(client, "hello"));
  server.signal(SIGSTOP);
  client.send("late");
  server.signal(SIGHUP);
  server.signal(SIGCONT);
  BOOST_TEST(client.receive_all().bytes == "late");
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_server_under_nohup_outlives_a_hangup, *several_threads) {
  server_process server{{}, server_process::voice::quiet, {.hangup = false}};
  const echo_client client{server.port()};
  server.signal(SIGHUP);
  BOOST_TEST(echoes(client, "hello"));
  BOOST_TEST(echoes(echo_client{server.port()}, "hello"));
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
}

// Of two threads one has no connection, and its loop ends before the second signal comes. The other
// waits with a reply of up to a megabyte. A short one could still find room, and the server would
// end by itself.
BOOST_DATA_TEST_CASE(a_second_signal_ends_a_drain_at_once, (std::vector{"1", "2"}), threads) {
  // The drain is longer than wait() waits.
  server_process server{{"--drain", "60s", "--threads", threads, "--buffer", "1000000"}};
  const echo_client stuck{server.port(), "127.0.0.1", 65536};
  const auto much = body(16 << 20);
  while (stuck.send_until_stuck(much) > 0) continue;  // a slow server may only pause
  server.signal(SIGTERM);
  BOOST_REQUIRE(stops_listening(server));
  server.signal(SIGINT);
  BOOST_TEST(server.wait() == -SIGINT);
}

BOOST_AUTO_TEST_CASE(a_signal_at_any_moment_ends_a_server_in_order, *several_threads) {
  const std::vector<int> kinds{SIGTERM, SIGINT, SIGHUP};
  const auto message = body(200'000);
  for (unsigned seed = 0; seed < (sanitized ? 6 : 24); ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random{seed};
      server_process server{{"--drain", "5s", "--threads", seed % 2 == 0 ? "2" : "1"}};
      std::vector<echo_client> clients;
      for (auto left = random() % 12; left > 0; --left) clients.emplace_back(server.port());
      for (const auto& client : clients) client.send(message.substr(0, random() % 20'000));
      std::this_thread::sleep_for(std::chrono::microseconds{random() % 2000});
      server.signal(kinds[random() % kinds.size()]);
      for (const auto& client : clients) BOOST_TEST(message.starts_with(replies_to(client)));
      BOOST_TEST(server.wait() == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_other_machines_can_reach_says_so) {
  const scratch_folder folder;
  const auto words_of = [&](const std::string& host) {
    const auto name = "errors_of_" + host;
    server_process server{
        {"--host", host}, server_process::voice::quiet, {.errors = folder / name}};
    BOOST_REQUIRE(echoes(echo_client{server.port()}, "hello"));
    server.signal(SIGTERM);
    BOOST_TEST(server.wait() == 0);
    return folder.read(name);
  };
  BOOST_TEST(words_of("0.0.0.0").find("other machines can connect") != std::string::npos);
  BOOST_TEST(words_of("127.0.0.1") == "");
  BOOST_TEST(words_of("localhost") == "");
}

BOOST_AUTO_TEST_SUITE_END()
