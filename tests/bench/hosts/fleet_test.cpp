// A fleet of one generator on this host is this process, and measures as any other.
#include <bench/hosts/fleet.hpp>

#include <bench/hosts/ranks/description.hpp>
#include <bench/selftest/odd_server.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>

#include <tests/bench/hosts/counting_echo.hpp>
#include <tests/texts.hpp>

using namespace std::chrono_literals;
using bench::parse_hosts;
using bench::scenario;

namespace {

struct fleet_here {
  std::atomic<bool> stop{false};
  bench::fleet generators{parse_hosts({.from = "localhost"}), stop};
  counting_echo server{listen_on("127.0.0.1")};

  bench::address where() const { return bench::address::resolve("127.0.0.1", server.port()); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(fleets)

BOOST_FIXTURE_TEST_CASE(a_fleet_knows_its_hosts, fleet_here) {
  BOOST_REQUIRE(generators.hosts().size() == 1u);
  const auto& host = generators.hosts().front();
  BOOST_TEST(host.name == "localhost");
  BOOST_TEST(host.generators == 1);
  BOOST_TEST(host.cpus >= 1);
  BOOST_TEST(generators.generators().size() == 1u);
  BOOST_TEST(generators.generators()[0].build == bench::build_of_this_program());
  BOOST_TEST(bench::text_of(generators.hosts()) == "1 host, 1 generator");
  BOOST_TEST(bench::text_of({{"a", 2, "", "", 1}, {"b", 4, "", "", 1}}) == "2 hosts, 6 generators");
}

BOOST_FIXTURE_TEST_CASE(its_client_measures_what_the_server_counts, fleet_here) {
  const auto client = generators.make_client(scenario::parse("c4/64"), 1);
  const auto number = client->add_server("server", where());
  BOOST_TEST(client->prefix(number) == "GOT:");
  client->connect(number, 4);
  std::int64_t in_all = 0;
  for (int i = 0; i < 3; ++i) {
    client->start({number});
    const auto samples = client->run(50ms);
    BOOST_TEST(client->finish() == 0);
    BOOST_REQUIRE(samples.size() == 1u);
    const auto& seen = samples[0];
    in_all += seen.messages_in_all;
    BOOST_TEST(seen.messages > 0);
    BOOST_TEST(seen.latency_ns.count() == static_cast<std::uint64_t>(seen.messages));
    BOOST_REQUIRE(seen.hosts.size() == 1u);
    BOOST_TEST(seen.hosts[0].host == "localhost");
    BOOST_TEST(seen.hosts[0].messages == seen.messages);
    BOOST_TEST(seen.hosts[0].p50_us == seen.latency_ns.percentile(50) / 1000);
    BOOST_TEST(seen.hosts[0].client_utilisation == seen.client_utilisation);
  }
  BOOST_TEST(static_cast<std::int64_t>(server.total().received_bytes) == 2 + 64 * (4 + in_all));
}

BOOST_FIXTURE_TEST_CASE(two_servers_are_measured_apart, fleet_here) {
  const counting_echo other{listen_on("127.0.0.1"), "other:"};
  const auto client = generators.make_client(scenario::parse("c2/64"), 1);
  const auto one = client->add_server("one", where());
  const auto two = client->add_server("two", bench::address::resolve("127.0.0.1", other.port()));
  BOOST_TEST(client->prefix(two) == "other:");
  client->connect(one, 2);
  client->connect(two, 2);
  client->start({two, one});
  const auto samples = client->run(50ms);
  BOOST_REQUIRE(samples.size() == 2u);
  BOOST_TEST(static_cast<std::int64_t>(other.total().received_bytes) ==
             2 + 64 * (2 + samples[0].messages_in_all));
  BOOST_TEST(static_cast<std::int64_t>(server.total().received_bytes) ==
             2 + 64 * (2 + samples[1].messages_in_all));
}

BOOST_FIXTURE_TEST_CASE(a_new_client_closes_what_the_last_one_had_open, fleet_here) {
  {
    const auto client = generators.make_client(scenario::parse("c4/64"), 1);
    client->connect(client->add_server("server", where()), 4);
    BOOST_TEST(server.total().open >= 4u);
  }
  for (int i = 0; i < 1000 && server.total().open != 0; ++i) std::this_thread::sleep_for(1ms);
  BOOST_TEST(server.total().open == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_wrong_reply_names_the_host_and_keeps_its_kind, fleet_here) {
  const odd_server wrong{{.reply = [](std::string_view got) {
    return got.size() < 16 ? std::string{got} : std::string(got.size(), 'x');
  }}};
  const auto client = generators.make_client(scenario::parse("c4/64"), 1);
  const auto number = client->add_server("odd", bench::address::resolve("127.0.0.1", wrong.port()));
  BOOST_CHECK_EXCEPTION(client->connect(number, 4), bench::wrong_reply,
                        saying("from localhost: odd"));
}

BOOST_FIXTURE_TEST_CASE(what_other_hosts_cannot_do_is_refused, fleet_here) {
  const auto client = generators.make_client(scenario::parse("c4/64"), 1);
  BOOST_CHECK_EXCEPTION(client->add_server("path", bench::address::on_path("/tmp/echo")),
                        bench::usage_error,
                        saying("path: other hosts cannot reach the Unix socket /tmp/echo"));
  const auto number = client->add_server("server", where());
  const int ports = generators.generators()[0].ports;
  BOOST_CHECK_EXCEPTION(
      client->connect(number, ports + 1), bench::usage_error,
      saying("localhost: " + std::to_string(ports + 1) + " connections, and its addresses have"));
}

BOOST_FIXTURE_TEST_CASE(who_stops_a_fleet_is_heard, fleet_here) {
  const auto client = generators.make_client(scenario::parse("c4/64"), 1);
  const auto number = client->add_server("server", where());
  client->connect(number, 4);
  client->start({number});
  std::thread stopper{[&] {
    std::this_thread::sleep_for(50ms);
    stop = true;
  }};
  BOOST_CHECK_THROW(client->run(60s), bench::interrupted);
  stopper.join();
}

BOOST_AUTO_TEST_SUITE_END()
