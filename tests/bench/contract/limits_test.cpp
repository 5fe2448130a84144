// Every server at its limits: many clients, no descriptor left, clients that do not read.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>

namespace {

using clock_type = std::chrono::steady_clock;

// Waits until the server sleeps, and watches it for half a second. A server that spins never
// sleeps. One that polls sleeps too often; timers may be 5 % early. One that spins before each
// sleep uses too much CPU: more than 2 %, and 0.3 ms per wake-up, which a retry of accept() may
// take on a slow machine.
void expect_sleep(const server_process& server, double most_a_second) {
  BOOST_TEST(server.falls_asleep());
  const auto start = clock_type::now();
  const auto sleeps_before = server.sleeps();
  const auto cpu_before = server.cpu_time();
  std::this_thread::sleep_for(milliseconds{500});
  const auto sleeps = static_cast<double>(server.sleeps() - sleeps_before);
  const std::chrono::duration<double> cpu = server.cpu_time() - cpu_before;
  const std::chrono::duration<double> passed = clock_type::now() - start;
  BOOST_TEST(sleeps <= 2 + 1.05 * most_a_second * passed.count());
  BOOST_TEST(cpu / passed < (sanitized ? 0.3 : 0.02 + most_a_second * 0.0003));
}

// Waits until the server has so many descriptors. Its limit bounds their numbers, not their count:
// an inherited descriptor may have a number above the limit.
bool has_taken(const server_process& server, std::size_t descriptors) {
  for (const auto until = clock_type::now() + patience; clock_type::now() < until; usleep(5000)) {
    if (server.descriptors() >= descriptors) return true;
  }
  return false;
}

// Waits until the server has so many threads.
bool comes_to_threads(const server_process& server, int threads) {
  for (const auto until = clock_type::now() + patience; clock_type::now() < until; usleep(5000)) {
    if (server.threads() == threads) return true;
  }
  BOOST_TEST_MESSAGE(server.threads() << " threads instead of " << threads);
  return false;
}

// Sends a message. Returns true on a reply and false if the server closes the connection, which is
// how it refuses a client. Throws if neither happens.
bool is_answered(const echo_client& client) try {
  client.send("hello");
  const auto reply = client.receive(5).bytes;
  BOOST_REQUIRE((reply == "hello" || reply.empty()));
  return !reply.empty();
} catch (const std::system_error& error) {
  if (error.code() == std::errc::connection_reset || error.code() == std::errc::broken_pipe) {
    return false;
  }
  throw;
}

// Connects more clients than the server has memory for. Each is answered or refused, the first
// client is still served, and SIGTERM ends the server. Returns how many clients were refused.
std::size_t refused_by_survivor(server_process& server, std::size_t clients) {
  const echo_client first{server.port()};
  BOOST_REQUIRE(echoes(first, "hello"));
  std::vector<echo_client> others;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < clients; ++i) {
    others.emplace_back(server.port());
    if (!is_answered(others.back())) ++refused;
  }
  BOOST_TEST(echoes(first, "again"));
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
  return refused;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(clients_whose_buffers_do_not_fit_into_memory_end_alone,
                     *boost::unit_test::precondition(memory_can_be_limited)) {
  server_process server{
      {"--buffer", "4194304"}, server_process::voice::quiet, {.memory = 120'000'000}};
  const auto refused = refused_by_survivor(server, 30);
  BOOST_TEST((refused > 0 || server.announced("server") == "floor"));  // it has one buffer for all
}

BOOST_AUTO_TEST_CASE(the_last_line_counts_those_that_found_no_memory,
                     *boost::unit_test::precondition(memory_can_be_limited)) {
  server_process server{
      {"--buffer", "4194304"}, server_process::voice::speaking, {.memory = 120'000'000}};
  if (server.announced("server") == "floor") return;  // it has one buffer for all
  const auto refused = refused_by_survivor(server, 30);
  auto line = server.read_line();
  while (!line.starts_with("Loop ")) line = server.read_line();
  BOOST_TEST(line.ends_with(fmt::format(" and {} found no memory", refused)), line);
}

BOOST_AUTO_TEST_CASE(clients_whose_stacks_do_not_fit_into_memory_end_alone,
                     *boost::unit_test::precondition(memory_can_be_limited)) {
  server_process server{{}, server_process::voice::quiet, {.memory = 24 << 20}};
  if (server.announced("server").starts_with("asio")) {
    BOOST_TEST_MESSAGE("skipped: Asio ends when there is no memory for an operation of its own");
    return;
  }
  const auto refused = refused_by_survivor(server, 400);
  BOOST_TEST((refused > 0 || server.announced("server") == "floor"));  // it has no stacks
}

BOOST_AUTO_TEST_CASE(two_thousand_clients_are_served_at_once_or_refused_in_order) {
  constexpr std::size_t count = 2000;
  if (!raise_descriptor_limit(count + 100)) {
    BOOST_TEST_MESSAGE("skipped: ulimit -Hn is less than 2100");
    return;
  }
  server_process server;
  std::vector<echo_client> clients;
  for (std::size_t i = 0; i < count; ++i) clients.emplace_back(server.port());
  const auto served = server.ends_at_1024() ? std::size_t{1000} : count;
  for (std::size_t i = 0; i < served; ++i) clients[i].send(body(64 + i % 900));
  std::size_t correct = 0;
  for (std::size_t i = 0; i < served; ++i) {
    correct += clients[i].receive(64 + i % 900).bytes == body(64 + i % 900);
  }
  BOOST_TEST(correct == served);
  if (served == count) return;
  for (std::size_t i = 1024; i < count; ++i) BOOST_REQUIRE(clients[i].is_refused());
  for (std::size_t i = 0; i < served; ++i) BOOST_REQUIRE(echoes(clients[i], "hello"));
  expect_sleep(server, 100);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_blocks_only_itself) {
  server_process server;
  const auto text = body(64 << 20);
  echo_client other{server.port()};
  BOOST_REQUIRE(echoes(other, "hello"));
  const auto before = server.resident_kib();
  echo_client client{server.port(), "127.0.0.1", 65536};
  const auto sent = client.send_until_stuck(text);
  BOOST_TEST(sent < text.size());
  BOOST_TEST(server.resident_kib() - before < (sanitized ? 16384 : 4096));  // sent: 64 MiB
  for (int i = 0; i < 10; ++i) BOOST_TEST(echoes(other, "hello"));
  expect_sleep(server, 1);
  client.end();
  BOOST_TEST((client.receive_all().bytes == text.substr(0, sent)));
}

BOOST_AUTO_TEST_CASE(without_descriptors_the_connected_are_served_and_accepting_resumes) {
  server_process server{{}, server_process::voice::quiet, {.descriptors = 64}};
  std::vector<echo_client> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(server.port());
  for (const auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
  while (clients.size() < 200) clients.emplace_back(server.port());
  BOOST_REQUIRE(has_taken(server, 64));  // accepting takes CPU time, failing to accept must not
  expect_sleep(server, 100);             // it may retry every 10 ms
  for (std::size_t i = 0; i < 10; ++i) BOOST_TEST(echoes(clients[i], "hello"));
  clients.erase(clients.begin(), clients.begin() + 165);
  for (const auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
}

BOOST_AUTO_TEST_CASE(more_than_max_connections_wait_until_one_leaves) {
  server_process server{{"--max-connections", "2"}};
  echo_client first{server.port()};
  BOOST_REQUIRE(echoes(first, "hello"));
  {
    echo_client second{server.port()};
    BOOST_REQUIRE(echoes(second, "hello"));
    echo_client third{server.port()};
    third.send("hello");
    for (int i = 0; i < 10; ++i) BOOST_TEST(echoes(first, "hello"));
    BOOST_TEST(server.falls_asleep());
    BOOST_TEST(!third.has_reply());
    second.end();
    BOOST_TEST(third.receive(5).bytes == "hello");
  }
  for (int i = 0; i < 10; ++i) {
    echo_client next{server.port()};
    BOOST_TEST(echoes(next, "hello"));
  }
}

BOOST_AUTO_TEST_CASE(who_waits_behind_max_connections_takes_no_descriptor_of_the_server) {
  server_process server{{"--max-connections", "2"}};
  std::vector<echo_client> clients;
  clients.emplace_back(server.port());
  BOOST_REQUIRE(echoes(clients.front(), "hello"));
  const auto with_one = server.descriptors();
  for (int i = 0; i < 50; ++i) clients.emplace_back(server.port());
  BOOST_REQUIRE(echoes(clients[1], "hello"));
  BOOST_TEST(echoes(clients.front(), "hello"));
  BOOST_TEST(server.descriptors() <= with_one + 1);
}

// Tests only that each client gets an answer. How much of the flood the server may handle before an
// answer depends here on the kernel's scheduler; tests/fibers/scheduler_waiting_test.cpp counts it
// in the loop.
BOOST_AUTO_TEST_CASE(a_client_that_floods_the_server_leaves_the_others_their_turn) {
  server_process server;
  const echo_client flooding{server.port()};
  std::atomic<bool> done{false};
  std::jthread sender{[&] {
    while (!done) flooding.send(body(50'000));
    flooding.end();
  }};
  std::jthread reader{[&] { flooding.receive_raw(); }};
  std::vector<echo_client> others;
  for (int i = 0; i < 20; ++i) others.emplace_back(server.port());
  for (int round = 0; round < 10; ++round) {
    for (const auto& each : others) BOOST_REQUIRE(echoes(each, "hello"));
  }
  done = true;
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed_and_an_active_one_is_not) {
  server_process server{{"--idle-timeout", "1s"}};
  echo_client idle{server.port()};
  const auto start = clock_type::now();
  BOOST_REQUIRE(echoes(idle, "hello"));
  echo_client active{server.port()};
  while (!idle.has_reply() && clock_type::now() < start + patience) {
    BOOST_REQUIRE(echoes(active, "hello"));
    usleep(20'000);
  }
  BOOST_TEST((clock_type::now() - start >= seconds{1}));
  BOOST_TEST(idle.receive_raw().empty());
  BOOST_TEST(echoes(active, "hello"));
}

BOOST_AUTO_TEST_CASE(a_client_that_never_sends_is_idle_too) {
  server_process server{{"--idle-timeout", "200ms"}};
  echo_client client{server.port()};
  BOOST_TEST(client.receive_raw().empty());
}

// The server closes with unread data, so its kernel sends a reset. Otherwise the client would
// notice the end only at its kernel's next window probe, and the intervals between probes double:
// they are 1.4 s and 3 s after the server has stopped reading.
BOOST_AUTO_TEST_CASE(a_client_that_never_reads_is_idle_too_and_is_told_at_once) {
  const auto text = body(64 << 20);
  server_process server{{"--idle-timeout", "1500ms"}};
  const auto before = server.descriptors();
  const echo_client deaf{server.port(), "127.0.0.1", 65536};
  bool is_closed = false;
  clock_type::time_point told;
  std::thread sending{[&] {
    is_closed = deaf.is_closed_while_sending(text);
    told = clock_type::now();
  }};
  BOOST_TEST(server.comes_to(before + 1));
  BOOST_TEST(server.comes_to(before));
  const auto closed = clock_type::now();
  sending.join();
  BOOST_TEST(is_closed);
  BOOST_TEST(std::chrono::duration_cast<milliseconds>(told - closed).count() < 1000);
  BOOST_TEST(echoes(echo_client{server.port()}, "hello"));
}

BOOST_AUTO_TEST_CASE(an_idle_timeout_of_zero_closes_nothing) {
  server_process server{{"--idle-timeout", "0"}};
  echo_client client{server.port()};
  BOOST_REQUIRE(echoes(client, "hello"));
  expect_sleep(server, 0);  // no timer wakes it
  BOOST_TEST(echoes(client, "hello"));
}

BOOST_AUTO_TEST_CASE(an_idle_server_sleeps) {
  server_process server{{"--idle-timeout", "8s"}};
  std::vector<echo_client> clients;
  for (int i = 0; i < 200; ++i) {  // spread, so that their deadlines differ
    clients.emplace_back(server.port());
    BOOST_REQUIRE(echoes(clients.back(), "hello"));
    usleep(1000);
  }
  expect_sleep(server, 2);  // it checks for idle connections twice a second
}

BOOST_AUTO_TEST_CASE(connections_are_shared_out_to_threads_and_end_with_sigterm, *several_threads) {
  constexpr std::size_t count = thread_sanitized ? 300 : 1000;
  const auto kind = server_process{};
  if (kind.ends_at_1024() || !raise_descriptor_limit(count + 100)) {
    BOOST_TEST_MESSAGE("skipped: so many connections are too many here");
    return;
  }
  const bool counts = kind.announced("server") != "floor" && kind.has_loops();
  server_process server{{"--threads", "2"},
                        counts ? server_process::voice::speaking : server_process::voice::quiet};
  std::vector<echo_client> clients;
  for (std::size_t i = 0; i < count; ++i) clients.emplace_back(server.port());
  for (const auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
  server.signal(SIGTERM);
  std::vector<std::size_t> shares;
  while (counts && shares.size() < 2) {
    const auto line = server.read_line();
    if (line.starts_with("Loop ")) shares.push_back(std::stoul(line.substr(line.find("d ") + 2)));
  }
  BOOST_TEST(server.wait() == 0);
  for (const auto& client : clients) BOOST_REQUIRE(client.receive_raw().empty());
  if (!counts) return;
  BOOST_TEST(shares[0] + shares[1] == count);
  BOOST_TEST(std::ranges::max(shares) <= 2 * std::ranges::min(shares));
}

BOOST_AUTO_TEST_CASE(no_thread_outlives_the_connection_that_it_served, *several_threads) {
  const server_process server;
  const auto before = server.threads();  // nobody has connected yet
  for (int round = 0; round < 2; ++round) {
    std::vector<echo_client> clients;
    for (int i = 0; i < 50; ++i) clients.emplace_back(server.port());
    for (const auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
    BOOST_TEST(server.threads() == before + (server.has_loops() ? 0 : 50));
    clients.clear();
    BOOST_TEST(comes_to_threads(server, before));
  }
}

BOOST_AUTO_TEST_CASE(a_thousand_short_connections_leave_nothing_behind) {
  server_process server{{}, server_process::voice::quiet, {.descriptors = 64}};
  for (int i = 0; i < 1000; ++i) {
    echo_client client{server.port()};
    BOOST_REQUIRE(echoes(client, "hello"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
