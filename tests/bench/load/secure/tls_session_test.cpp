// The load generator under TLS: it counts and checks as without, and says what TLS does not accept.
#include <fmt/format.h>

#include <bench/load/generator.hpp>
#include <bench/selftest/odd_server.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <thread>

#include <tests/bench/tls_echo_server.hpp>
#include <tests/deaf_port.hpp>

using namespace std::chrono_literals;
using bench::load_generator;
using bench::scenario;

namespace {

struct secure_load {
  bench::address at(int port, const std::string& host = "127.0.0.1") {
    auto where = bench::address::resolve("127.0.0.1", static_cast<std::uint16_t>(port));
    where.tls_host = host;
    return where;
  }

  std::atomic<bool> stop{false};
};

bench::load_sample load(load_generator& client, const bench::address& where, const scenario& shape,
                        double rate = 0) {
  const auto number = client.add_server("secure", where);
  client.connect(number, shape.all_connections());
  rate > 0 ? client.start_at_rate({number}, rate) : client.start({number});
  const auto sample = client.run(60ms).front();
  client.finish();
  return sample;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tls, secure_load)

BOOST_AUTO_TEST_CASE(every_load_under_tls_is_counted_and_checked) {
  for (const auto* text : {"c1/16", "c8/64", "c4/512/d16", "c3/16K", "c3/16K/d4", "c2/300K"}) {
    for (const std::string prefix : {"GOT:", ""}) {
      BOOST_TEST_CONTEXT(text << " with prefix '" << prefix << "'") {
        const auto shape = scenario::parse(text);
        const tls_echo_server server{prefix};
        load_generator client{shape, 1, stop};
        const auto sample = load(client, at(server.port()), shape);
        BOOST_TEST(client.prefix(0) == prefix);
        BOOST_TEST(sample.messages > 0);
        BOOST_TEST(sample.latency_ns.count() == static_cast<std::uint64_t>(sample.messages));
        BOOST_TEST(server.handshakes() == 1 + shape.connections);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(messages_are_due_at_a_rate_under_tls) {
  const auto shape = scenario::parse("c4/512");
  const tls_echo_server server;
  load_generator client{shape, 1, stop};
  const auto sample = load(client, at(server.port()), shape, 500);
  BOOST_TEST(sample.messages >= 25);
  BOOST_TEST(sample.unanswered == 0);
}

BOOST_AUTO_TEST_CASE(with_churn_each_message_has_a_handshake_and_a_goodbye) {
  const auto shape = scenario::parse("c4/64/churn");
  const tls_echo_server server;
  std::int64_t messages = 0;
  {
    load_generator client{shape, 1, stop};
    messages = load(client, at(server.port()), shape).messages;
  }
  BOOST_TEST(messages > 0);
  BOOST_TEST(server.handshakes() >= messages);
  for (int i = 0; i < 1000 && server.goodbyes() < server.handshakes(); ++i)
    std::this_thread::sleep_for(10ms);
  BOOST_TEST(server.goodbyes() == server.handshakes());
}

BOOST_AUTO_TEST_CASE(a_name_is_asked_for_and_an_address_is_not) {
  const scenario shape{1, 64, 1};
  for (const std::string host : {"localhost", "127.0.0.1", "::1", ""}) {
    const tls_echo_server server;
    load_generator client{shape, 1, stop};
    load(client, at(server.port(), host), shape);
    BOOST_TEST(server.asked_by_name() == (host == "localhost" ? 2 : 0), host);
  }
}

BOOST_AUTO_TEST_CASE(one_wrong_byte_under_tls_is_found) {
  const scenario shape{2, 64, 1};
  const tls_echo_server server{"", [n = 0](std::string& reply) mutable {
                                 if (++n == 50) reply.back() ^= 1;
                               }};
  load_generator client{shape, 1, stop};
  const auto number = client.add_server("liar", at(server.port()));
  client.connect(number, 2);
  client.start({number});
  BOOST_CHECK_THROW(client.run(20s), bench::wrong_reply);
}

BOOST_AUTO_TEST_CASE(a_server_without_tls_is_told_by_one_sentence) {
  odd_behaviour prefixed;
  prefixed.reply = [](std::string_view got) { return fmt::format("GOT:{}", got); };
  const odd_server plain{prefixed};
  load_generator client{scenario{1, 64, 1}, 1, stop};
  BOOST_CHECK_EXCEPTION(
      client.add_server("plain", at(plain.port())), bench::cannot_connect, [&](const auto& error) {
        return error.what() ==
               fmt::format("127.0.0.1:{}: no TLS handshake: wrong version number", plain.port());
      });
}

BOOST_AUTO_TEST_CASE(a_server_that_says_nothing_is_given_up_before_the_handshake_ends) {
  odd_behaviour silent;
  silent.reply = [](std::string_view) { return std::string{}; };
  const odd_server server{silent};
  load_generator client{scenario{1, 64, 1}, 1, stop};
  client.set_patience(300ms);
  BOOST_CHECK_THROW(client.add_server("silent", at(server.port())), bench::no_answer);
}

BOOST_AUTO_TEST_CASE(a_server_that_ends_without_a_goodbye_is_a_lost_connection) {
  const odd_server hanging_up{{.hang_up = [] { return true; }}};
  load_generator client{scenario{1, 64, 1}, 1, stop};
  BOOST_CHECK_THROW(client.add_server("gone", at(hanging_up.port())), bench::connection_lost);
}

BOOST_AUTO_TEST_SUITE_END()
