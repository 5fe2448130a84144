// What every echo server does: server_test [OPTION...] -- SERVER [ARGUMENT...]
//
// Tests the server as a black box. limits_test.cpp, contract_test.cpp, path_test.cpp and
// ending_test.cpp belong to the same program.
#include <boost/test/unit_test.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <tests/bench/contract/available_server.hpp>
#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>

BOOST_TEST_GLOBAL_CONFIGURATION(available_server);

BOOST_AUTO_TEST_SUITE(echo_server)

BOOST_AUTO_TEST_CASE(the_prefix_and_the_bytes_come_back) {
  server_process server;
  echo_client client{server.port()};
  client.send("hello");
  const auto reply = client.receive(5);
  BOOST_TEST(reply.bytes == "hello");
  BOOST_TEST(reply.prefixes == 1);
}

BOOST_AUTO_TEST_CASE(a_second_message_is_answered_like_the_first) {
  server_process server;
  echo_client client{server.port()};
  for (const auto* text : {"hello", "again", "x"}) BOOST_TEST(echoes(client, text));
}

BOOST_AUTO_TEST_CASE(a_message_longer_than_the_buffer_gives_several_prefixes) {
  server_process server;
  echo_client client{server.port()};
  client.send(body(2500));
  const auto reply = client.receive(2500);
  BOOST_TEST(reply.bytes == body(2500));
  BOOST_TEST(reply.prefixes >= 3);
  BOOST_TEST(reply.longest <= 1000U);
}

BOOST_AUTO_TEST_CASE(a_message_that_fills_the_buffer_exactly_is_answered) {
  server_process server;
  echo_client client{server.port()};
  for (int i = 0; i < 3; ++i) BOOST_TEST(echoes(client, body(1000)));
}

BOOST_AUTO_TEST_CASE(a_server_that_acknowledges_answers_a_newline_per_so_many_bytes) {
  if (!server_process{}.has_loops()) return;  // a thread per connection only echoes
  for (const auto* buffer : {"1000", "65536"}) {
    server_process server{{"--buffer", buffer, "--ack", "4096"}};
    BOOST_TEST(server.announced("ack") == "4096");
    echo_client client{server.port()};
    client.send(body(4095));
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    BOOST_TEST(!client.has_reply());
    client.send("x");
    for (int i = 0; i < 500 && !client.has_reply(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    BOOST_TEST(client.has_reply());
    client.send_and_end(body(100'000));
    BOOST_TEST(client.receive_raw() == std::string(104'096 / 4096, '\n'));
  }
}

BOOST_AUTO_TEST_CASE(buffer_and_prefix_are_what_was_asked_for) {
  server_process server{{"--buffer", "10", "--prefix", "GOT:GOT:"}};
  echo_client client{server.port()};
  client.send_and_end(body(25));
  std::string expected;
  for (int i = 0; i < 25; i += 10) {
    expected += "GOT:GOT:" + body(25).substr(static_cast<std::size_t>(i), 10);
  }
  BOOST_TEST(client.receive_raw() == expected);
}

BOOST_AUTO_TEST_CASE(an_empty_prefix_makes_a_plain_echo) {
  server_process server{{"--prefix", ""}};
  echo_client client{server.port()};
  client.send_and_end(body(3000));
  BOOST_TEST(client.receive_raw() == body(3000));
}

BOOST_AUTO_TEST_CASE(ten_clients_are_served_at_once) {
  server_process server;
  std::vector<echo_client> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(server.port());
  for (std::size_t i = 0; i < clients.size(); ++i) clients[i].send(body(100 + i));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    BOOST_TEST(clients[i].receive(100 + i).bytes == body(100 + i));
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_reads_slowly_gets_every_reply_whole) {
  server_process server{{"--buffer", "300000"}};
  echo_client client{server.port(), "127.0.0.1", 65536};
  const auto text = body(4'000'000);
  std::jthread sender{[&] { client.send_and_end(text); }};
  BOOST_TEST((client.receive_all().bytes == text));
}

BOOST_AUTO_TEST_CASE(after_a_half_close_everything_is_still_answered) {
  server_process server;
  echo_client client{server.port()};
  client.send(body(2500));
  client.end();
  BOOST_TEST(client.receive_all().bytes == body(2500));
}

BOOST_AUTO_TEST_CASE(data_and_end_in_one_segment_are_answered) {
  server_process server;
  echo_client warm{server.port()};
  BOOST_TEST(echoes(warm, "hello"));
  for (int i = 0; i < 20; ++i) {
    echo_client client{server.port()};
    client.send_and_end("hello");
    BOOST_TEST(client.receive_all().bytes == "hello");
  }
  warm.send_and_end("bye");
  BOOST_TEST(warm.receive_all().bytes == "bye");
}

BOOST_AUTO_TEST_CASE(a_client_that_says_nothing_and_leaves_is_no_trouble) {
  server_process server;
  for (int i = 0; i < 20; ++i) echo_client{server.port()}.end();
  echo_client client{server.port()};
  BOOST_TEST(echoes(client, "hello"));
}

BOOST_AUTO_TEST_CASE(a_reset_connection_leaves_the_others_served) {
  server_process server;
  echo_client other{server.port()};
  for (int i = 0; i < 50; ++i) {
    echo_client client{server.port()};
    if (i % 2 == 0) client.send(body(5000));
    client.reset();
    BOOST_TEST(echoes(other, "hello"));
  }
}

BOOST_AUTO_TEST_CASE(a_reset_while_a_reply_waits_leaves_the_others_served) {
  server_process server;
  echo_client other{server.port()};
  echo_client client{server.port(), "127.0.0.1", 65536};
  client.send_until_stuck(body(64 << 20));
  client.reset();
  BOOST_TEST(echoes(other, "hello"));
}

BOOST_AUTO_TEST_CASE(both_families_of_addresses_are_served) {
  const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = IN6ADDR_LOOPBACK_INIT;
  const bool has_v6 = bind(probe, reinterpret_cast<sockaddr*>(&loopback), sizeof loopback) == 0;
  close(probe);
  if (has_v6) {
    server_process server{{"--host", "::1"}};
    echo_client client{server.port(), "::1"};
    BOOST_TEST(echoes(client, "hello"));
  } else {
    BOOST_TEST_MESSAGE("skipped for ::1: this machine has no IPv6");
  }
  for (const auto* host : {"localhost", ""}) {
    server_process server{{"--host", host}};
    echo_client client{server.port()};
    BOOST_TEST(echoes(client, "hello"));
  }
}

BOOST_AUTO_TEST_CASE(every_thread_serves, *several_threads) {
  server_process server{{"--threads", "2"}};
  BOOST_TEST(server.announced("threads") == (server.has_loops() ? "2" : "1"));
  std::vector<echo_client> clients;
  for (int i = 0; i < 40; ++i) clients.emplace_back(server.port());
  for (const auto& client : clients) client.send("hello");
  for (const auto& client : clients) BOOST_TEST(client.receive(5).bytes == "hello");
  BOOST_TEST(server.threads() >= 2);
}

// Reads the option from the server's own sockets, because a test that measures the delay would
// depend on the machine.
BOOST_AUTO_TEST_CASE(every_connection_has_no_delay) {
  server_process server;
  std::vector<echo_client> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(server.port());
  for (const auto& client : clients) BOOST_TEST(echoes(client, "hello"));
  const int process = static_cast<int>(syscall(SYS_pidfd_open, server.pid(), 0));
  int connections = 0;
  for (int number = 0; number < 64; ++number) {
    const int copy = static_cast<int>(syscall(SYS_pidfd_getfd, process, number, 0));
    if (copy < 0 && (errno == EPERM || errno == ENOSYS)) {
      BOOST_TEST_MESSAGE("skipped: the sockets of another process may not be looked at here");
      return;
    }
    int value = 0;
    socklen_t length = sizeof value;
    sockaddr_storage peer{};
    socklen_t peer_length = sizeof peer;
    const bool connected =
        getpeername(copy, reinterpret_cast<sockaddr*>(&peer), &peer_length) == 0 &&
        peer.ss_family == AF_INET;
    if (connected) {
      getsockopt(copy, IPPROTO_TCP, TCP_NODELAY, &value, &length);
      BOOST_TEST(value != 0);
      ++connections;
    }
    close(copy);
  }
  close(process);
  BOOST_TEST(connections == 3);
}

BOOST_AUTO_TEST_SUITE_END()
