// What a server under TLS does that others do not: tls_server_test [OPTION...] -- SERVER
// [ARGUMENT...]
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include <tests/bench/contract/available_server.hpp>
#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>
#include <tests/bench/tls/tls_client.hpp>

BOOST_TEST_GLOBAL_CONFIGURATION(available_server);

namespace {

using clock_type = std::chrono::steady_clock;
using ending = tls_client::ending;

bool echoes(tls_client& client, const std::string& text) {
  client.send(text);
  return client.receive(text.size() + 4) == "GOT:" + text;
}

// Makes so many connections one after the other, and ends each politely.
void come_and_go(const server_process& server, int times) {
  for (int i = 0; i < times; ++i) {
    tls_client client{server.port()};
    BOOST_REQUIRE(echoes(client, "hello"));
    client.say_goodbye();
    BOOST_REQUIRE(client.receive_all().empty());
    BOOST_REQUIRE(client.is_closed());
  }
}

// The bare loop says goodbye to who says it, and to nobody else.
bool is_floor() {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  return suite.argc > 1 && std::string{suite.argv[1]}.find("floor_tls") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tls_server)

BOOST_AUTO_TEST_CASE(the_prefix_and_the_bytes_come_back_encrypted) {
  const server_process server;
  tls_client client{server.port()};
  BOOST_TEST(client.version() == "TLSv1.3");
  for (const auto* text : {"hello", "again", "x"}) BOOST_TEST(echoes(client, text));
}

BOOST_AUTO_TEST_CASE(prefix_and_buffer_are_what_was_asked_for) {
  const server_process server{{"--prefix", "GOT:GOT:", "--buffer", "10"}};
  tls_client client{server.port()};
  const auto text = body(25);
  client.send(text);
  std::string expected;
  for (const auto at : {0U, 10U, 20U}) expected += "GOT:GOT:" + text.substr(at, 10);
  BOOST_TEST(client.receive(expected.size()) == expected);
}

BOOST_AUTO_TEST_CASE(a_prefix_longer_than_a_record_comes_whole) {
  const auto prefix = body(40'000);
  const server_process server{{"--prefix", prefix}};
  tls_client client{server.port()};
  for (int i = 0; i < 3; ++i) {
    client.send("HELLO");
    BOOST_TEST((client.receive(prefix.size() + 5) == prefix + "HELLO"));
  }
}

BOOST_AUTO_TEST_CASE(a_large_record_comes_back_in_many_small_reads) {
  const server_process server{{"--buffer", "10"}};
  tls_client client{server.port()};
  const auto text = body(16'000);
  client.send(text);
  client.say_goodbye();
  BOOST_TEST((parse_echo(client.receive_all()).bytes == text));
}

BOOST_AUTO_TEST_CASE(many_small_pieces_come_back_in_order) {
  const server_process server;
  tls_client client{server.port()};
  const auto text = body(20'000);
  std::size_t pieces = 0;
  for (std::size_t at = 0; at < text.size(); ++pieces) {
    const auto size = std::min(1 + pieces % 50, text.size() - at);
    client.send(text.substr(at, size));
    at += size;
  }
  client.say_goodbye();
  const auto reply = parse_echo(client.receive_all());
  BOOST_TEST((reply.bytes == text));
  BOOST_TEST(reply.prefixes == static_cast<int>(pieces));  // one for each record
  BOOST_TEST((client.how_it_ended() == ending::polite));
}

BOOST_AUTO_TEST_CASE(a_mebibyte_passes_whole) {
  for (const auto* buffer : {"1000", "65536"}) {
    const server_process server{{"--buffer", buffer, "--prefix", ""}};
    tls_client client{server.port()};
    const auto text = body(1 << 20);
    BOOST_TEST((client.exchange(text) == text));
  }
}

BOOST_AUTO_TEST_CASE(who_speaks_no_tls_is_sent_away_and_the_others_are_served) {
  const server_process server;
  tls_client other{server.port()};
  BOOST_REQUIRE(echoes(other, "hello"));
  const auto before = server.descriptors();
  for (const auto& text :
       {std::string{"GET / HTTP/1.1\r\n\r\n"}, body(5000), std::string(100, '\0')}) {
    const echo_client stranger{server.port()};
    stranger.send(text);
    BOOST_TEST(stranger.is_refused());
    BOOST_TEST(echoes(other, "hello"));
  }
  BOOST_TEST(server.comes_to(before));
}

BOOST_AUTO_TEST_CASE(who_speaks_no_tls_after_the_handshake_is_sent_away) {
  const server_process server;
  tls_client other{server.port()};
  tls_client client{server.port()};
  BOOST_TEST(echoes(client, "hello"));
  client.send_in_the_clear(body(500));
  client.receive_all();
  BOOST_TEST((client.how_it_ended() != ending::none));
  BOOST_TEST(echoes(other, "hello"));
}

BOOST_AUTO_TEST_CASE(who_is_silent_is_closed_before_the_handshake_and_after_it) {
  server_process server{{"--idle-timeout", "1s"}, server_process::voice::speaking};
  const auto start = clock_type::now();
  const echo_client silent{server.port()};
  tls_client greeted{server.port()};
  tls_client active{server.port()};
  tls_client used{server.port()};
  BOOST_TEST(echoes(used, "hello"));
  while (clock_type::now() < start + milliseconds{2000}) {
    BOOST_REQUIRE(echoes(active, "hello"));
    std::this_thread::sleep_for(milliseconds{50});
  }
  BOOST_TEST(silent.receive_raw().empty());
  BOOST_TEST(greeted.receive_all().empty());
  BOOST_TEST(used.receive_all().empty());
  BOOST_TEST(echoes(active, "hello"));
  if (is_floor()) return;  // it counts nobody
  server.signal(SIGTERM);
  auto line = server.read_line();
  while (!line.starts_with("Loop ")) line = server.read_line();
  BOOST_TEST(line.find("served 4, of which 3 were idle") != line.npos, line);
}

BOOST_AUTO_TEST_CASE(who_says_goodbye_and_reads_nothing_is_closed_when_idle) {
  const server_process server{{"--idle-timeout", "1s"}};
  tls_client deaf{server.port()};
  BOOST_REQUIRE(echoes(deaf, "hello"));
  const auto before = server.descriptors() - 1;
  deaf.send_until_stuck(body(64 << 20));
  deaf.say_goodbye();
  BOOST_TEST(server.comes_to(before));
}

BOOST_AUTO_TEST_CASE(who_vanishes_within_the_handshake_leaves_nothing_behind) {
  const server_process server;
  tls_client other{server.port()};
  BOOST_REQUIRE(echoes(other, "hello"));
  const auto hello = tls_client::hello();
  BOOST_REQUIRE(hello.size() > 100U);
  const auto before = server.descriptors();
  for (const auto size : {std::size_t{0}, std::size_t{3}, std::size_t{100}, hello.size()}) {
    for (int i = 0; i < 10; ++i) {
      echo_client ends{server.port()}, resets{server.port()}, half{server.port()};
      for (const auto* client : {&ends, &resets, &half}) client->send(hello.substr(0, size));
      if (i % 2 == 0) usleep(2000);
      half.end();
      BOOST_TEST(half.is_refused());
      resets.reset();
    }
    BOOST_TEST(echoes(other, "hello"));
  }
  BOOST_TEST(server.comes_to(before));
}

BOOST_AUTO_TEST_CASE(a_goodbye_is_answered_after_all_replies) {
  const server_process server;
  tls_client client{server.port()};
  BOOST_REQUIRE(echoes(client, "hello"));
  const auto before = server.descriptors() - 1;
  const auto text = body(30'000);
  client.send(text);
  client.say_goodbye();
  BOOST_TEST((parse_echo(client.receive_all()).bytes == text));
  BOOST_TEST((client.how_it_ended() == ending::polite));
  BOOST_TEST(client.is_closed());
  BOOST_TEST(server.comes_to(before));
}

BOOST_AUTO_TEST_CASE(an_end_without_goodbye_is_answered_by_one) {
  const server_process server;
  tls_client client{server.port()};
  client.send("hello");
  client.end_without_goodbye();
  BOOST_TEST(client.receive_all() == "GOT:hello");
  BOOST_TEST((client.how_it_ended() == ending::polite || is_floor()));
  BOOST_TEST(client.is_closed());
}

BOOST_AUTO_TEST_CASE(a_reset_ends_one_connection_only) {
  const server_process server;
  tls_client other{server.port()};
  BOOST_REQUIRE(echoes(other, "hello"));
  const auto before = server.descriptors();
  for (int i = 0; i < 20; ++i) {
    tls_client client{server.port()};
    client.send("hello");
    client.reset();
    BOOST_TEST(echoes(other, "hello"));
  }
  BOOST_TEST(server.comes_to(before));
}

BOOST_AUTO_TEST_CASE(a_drain_answers_what_came_and_says_goodbye) {
  server_process server{{"--drain", "20s"}};
  std::vector<tls_client> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(server.port());
  for (auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
  const echo_client silent{server.port()}, halfway{server.port()};
  halfway.send(tls_client::hello());
  BOOST_REQUIRE(server.falls_asleep());
  server.signal(SIGSTOP);
  for (auto& client : clients) client.send("last");
  const auto start = clock_type::now();
  server.signal(SIGTERM);
  server.signal(SIGCONT);
  for (auto& client : clients) {
    BOOST_TEST(client.receive_all() == "GOT:last");
    BOOST_TEST((client.how_it_ended() == ending::polite || is_floor()));
  }
  BOOST_TEST(silent.receive_raw().empty());
  BOOST_TEST(server.wait() == 0);
  BOOST_TEST((clock_type::now() - start < seconds{15}));
}

BOOST_AUTO_TEST_CASE(a_drain_does_not_wait_longer_for_who_does_not_read) {
  server_process server{{"--drain", "500ms"}};
  tls_client deaf{server.port()};
  BOOST_TEST(deaf.send_until_stuck(body(64 << 20)) < std::size_t{64 << 20});
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(it_echoes_and_acknowledges_nothing) {
  const auto refused = run_server({"--port", "0", "--ack", "4096"});
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(refused.errors.find("--ack is not offered by this server") != std::string::npos);
  BOOST_TEST(run_server({"--help"}).output.find("An echo server under TLS") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(two_hundred_handshakes_leave_no_descriptor_and_no_memory_behind) {
  const server_process server;
  come_and_go(server, 200);
  const auto descriptors = server.descriptors();
  const auto before = server.resident_kib();
  come_and_go(server, 200);
  if (!sanitized) BOOST_TEST(server.resident_kib() - before < 1024);  // it keeps what was freed
  BOOST_TEST(server.comes_to(descriptors));
}

BOOST_AUTO_TEST_CASE(two_threads_serve_and_drain, *several_threads) {
  std::vector<arguments> shapes{{"--threads", "2"}};
  if (server_process{}.announced("server").starts_with("asio"))
    shapes.push_back({"--threads", "2", "--shape", "shared"});
  for (const auto& shape : shapes) {
    server_process server{shape};
    std::vector<tls_client> clients;
    for (int i = 0; i < 30; ++i) clients.emplace_back(server.port());
    for (int round = 0; round < 5; ++round) {
      for (auto& client : clients) client.send("hello");
      for (auto& client : clients) BOOST_REQUIRE(client.receive(9) == "GOT:hello");
    }
    come_and_go(server, 20);
    server.signal(SIGTERM);
    BOOST_TEST(server.wait() == 0);
    for (auto& client : clients) BOOST_REQUIRE(client.receive_all().empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()
