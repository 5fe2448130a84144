// What a server of others does at least: peer_test [OPTION...] -- NAME
//
// NAME is that of the catalogue, such as go/epoll. Where it is missing, the test is skipped.
#include <netinet/in.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bench/server/catalogue.hpp>
#include <bench/server/process.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>

namespace {

// The process of the server, and the port where it listens.
struct peer : bench::server_process {
  peer() : bench::server_process{bench::find_server(chosen()), {}} {}

  static std::string chosen() {
    const auto& suite = boost::unit_test::framework::master_test_suite();
    return suite.argc > 1 ? suite.argv[1] : "";
  }

  int port() const { return ntohs(reinterpret_cast<const sockaddr_in&>(where().storage).sin_port); }

  // Node.js alone says itself how much it receives at once.
  static std::size_t most_per_receive() { return chosen() == "node/epoll" ? 65536 : 1000; }
};

struct installed_peer {
  installed_peer() {
    try {
      peer{};
    } catch (const bench::not_available& missing) {
      const std::string_view why = missing.what();
      if (why.find("it needs the Debian package") == why.npos)
        return;  // the cases fail and show it
      std::cout << "skipped: " << why << '\n' << std::flush;
      std::_Exit(77);
    }
  }
};

}  // namespace

BOOST_TEST_GLOBAL_CONFIGURATION(installed_peer);

BOOST_AUTO_TEST_SUITE(peers)

BOOST_AUTO_TEST_CASE(each_receive_comes_back_behind_the_prefix) {
  const peer server;
  const echo_client client{server.port()};
  for (const auto* text : {"hello", "again", "x"}) {
    client.send(text);
    const auto reply = client.receive(std::string_view{text}.size());
    BOOST_TEST(reply.bytes == text);
    BOOST_TEST(reply.prefixes == 1);
  }
  client.send(body(100'000));
  const auto reply = client.receive(100'000);
  BOOST_TEST((reply.bytes == body(100'000)));
  BOOST_TEST(reply.longest <= peer::most_per_receive());
}

BOOST_AUTO_TEST_CASE(many_clients_are_served_at_once) {
  const peer server;
  std::vector<echo_client> clients;
  for (int i = 0; i < 100; ++i) clients.emplace_back(server.port());
  for (std::size_t i = 0; i < clients.size(); ++i) clients[i].send(body(100 + i));
  for (std::size_t i = 0; i < clients.size(); ++i)
    BOOST_TEST(clients[i].receive(100 + i).bytes == body(100 + i));
}

BOOST_AUTO_TEST_CASE(a_client_that_reads_slowly_gets_every_reply) {
  const peer server;
  const echo_client client{server.port(), "127.0.0.1", 65536};
  const auto text = body(4'000'000);
  const std::jthread sender{[&] { client.send(text); }};
  BOOST_TEST((client.receive(text.size()).bytes == text));
}

BOOST_AUTO_TEST_CASE(a_reset_leaves_the_others_served) {
  const peer server;
  const echo_client other{server.port()};
  for (int i = 0; i < 20; ++i) {
    echo_client client{server.port()};
    if (i % 2 == 0) client.send(body(5000));
    client.reset();
    BOOST_TEST(echoes(other, "hello"));
  }
  echo_client stuck{server.port(), "127.0.0.1", 65536};
  stuck.send_until_stuck(body(64 << 20));
  stuck.reset();
  BOOST_TEST(echoes(other, "hello"));
  BOOST_TEST(echoes(echo_client{server.port()}, "hello"));
}

// Otherwise stop() would have to kill it.
BOOST_AUTO_TEST_CASE(sigterm_ends_it) {
  peer server;
  const echo_client client{server.port()};
  BOOST_REQUIRE(echoes(client, "hello"));
  server.request_stop();
  BOOST_TEST(client.is_refused());
  while (!server.obituary()) usleep(1000);
  BOOST_TEST(server.obituary()->find("Killed") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
