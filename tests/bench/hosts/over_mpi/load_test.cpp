// A load from several hosts: what they measure adds up to what the server counts, and each host
// tells its own part.
#include <fmt/format.h>

#include <bench/hosts/fleet.hpp>
#include <bench/load/generator.hpp>
#include <bench/selftest/odd_server.hpp>
#include <bench/text/failure.hpp>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <optional>

#include <tests/bench/hosts/counting_echo.hpp>
#include <tests/bench/hosts/line.hpp>
#include <tests/bench/hosts/over_mpi/loading.hpp>

BOOST_TEST_GLOBAL_CONFIGURATION(permitted_loads);

namespace {

constexpr std::int64_t probe_bytes = 2;  // by which a generator finds out the prefix

struct three_hosts {
  test_network network{3};
  counting_echo server{listen_on(network.own_address())};
  loading_program program{network};

  std::string target() const { return network.own_address() + ":" + std::to_string(server.port()); }
  std::int64_t received() const { return static_cast<std::int64_t>(server.total().received_bytes); }

  // What the load measured; its exit code has to be 0.
  boost::json::object load_from(const std::string& hosts, const words& options) {
    words given{"load", target(), "--from", hosts, "--json", "load.json"};
    given.insert(given.end(), options.begin(), options.end());
    const auto ended = program.run(given);
    BOOST_REQUIRE_MESSAGE(ended.exit_code == 0, ended.err);
    shown = ended.out;
    return boost::json::parse(program.folder().read("load.json")).at("measured").as_object();
  }

  std::string shown;
};

std::int64_t count(const boost::json::value& of, const char* member) {
  return of.at(member).to_number<std::int64_t>();
}
double number(const boost::json::value& of, const char* member) {
  return of.at(member).to_number<double>();
}

std::int64_t sum_over_hosts(const boost::json::object& measured) {
  std::int64_t sum = 0;
  for (const auto& each : measured.at("hosts").as_array()) sum += count(each, "messages");
  return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loads_from_hosts)

BOOST_FIXTURE_TEST_CASE(the_server_received_what_the_hosts_say_that_they_sent, three_hosts) {
  struct shape {
    const char* load;
    std::int64_t bytes;
    std::int64_t at_first;  // messages that new connections echo
  };
  std::int64_t before = 0;
  for (const auto& [load, bytes, at_first] :
       {shape{"c10/64", 64, 10}, shape{"c5/1000/d3", 1000, 15}, shape{"c7/64+20idle", 64, 27},
        shape{"c10/64/r2k", 64, 10}}) {
    BOOST_TEST_CONTEXT(load) {
      const auto measured =
          load_from(program.from({2, 1, 1}), {"--load", load, "--duration", "500ms"});
      const auto in_all = count(measured, "messages_in_all");
      BOOST_TEST(in_all >= count(measured, "messages"));
      BOOST_TEST(sum_over_hosts(measured) == count(measured, "messages"));
      BOOST_TEST(received() - before == bytes * (in_all + at_first) + 4 * probe_bytes);
      BOOST_TEST(server.total().open == 0u);
      before = received();
    }
  }
}

BOOST_FIXTURE_TEST_CASE(each_host_has_its_share_of_the_connections, three_hosts) {
  const auto measured = load_from(program.from({2, 1, 1}), {"--load", "c10/64+3idle"});
  // Of 13 connections the four generators have 4, 3, 3 and 3, and each has one more over which it
  // finds out the prefix.
  BOOST_TEST(server.of(network.address(0)).accepted == 4u + 3u + 2u);
  BOOST_TEST(server.of(network.address(1)).accepted == 3u + 1u);
  BOOST_TEST(server.of(network.address(2)).accepted == 3u + 1u);
  const auto& hosts = measured.at("hosts").as_array();
  BOOST_REQUIRE(hosts.size() == 3u);
  for (std::size_t host = 0; host < 3; ++host) {
    BOOST_TEST(hosts[host].at("host").as_string() == network.name(host));
    BOOST_TEST(count(hosts[host], "generators") == (host == 0 ? 2 : 1));
    BOOST_TEST(count(hosts[host], "messages") > 0);
    BOOST_TEST(number(hosts[host], "p50_us") > 0);
    BOOST_TEST(holds(shown, fmt::format("{}:{}", network.name(host), host == 0 ? 2 : 1)), shown);
  }
}

BOOST_FIXTURE_TEST_CASE(a_wrong_byte_ends_the_load_and_names_the_host_that_got_it, three_hosts) {
  std::atomic<int> replies{0};
  // An odd server listens on the loopback alone, which every host has; so it is on one of them.
  std::optional<odd_server> wrong;
  network.in_host(1, [&] {
    wrong.emplace(odd_behaviour{.reply = [&](std::string_view got) {
      std::string reply{got};
      if (++replies == 5000) reply.back() ^= 1;
      return reply;
    }});
    return 0;
  });
  const auto begun = std::chrono::steady_clock::now();
  const auto ended = program.run({"load", fmt::format("127.0.0.1:{}", wrong->port()), "--from",
                                  network.name(1) + ":2", "--load", "c4/64", "--duration", "60s"});
  BOOST_TEST((std::chrono::steady_clock::now() - begun < 30s));  // the other generator ended, too
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(lines_in(ended.err) == 1, ended.err);
  BOOST_TEST(holds(ended.err, "from " + network.name(1) + ": "), ended.err);
  BOOST_TEST(replies >= 5000);
  BOOST_TEST(program.left_after(3s).empty());
}

BOOST_FIXTURE_TEST_CASE(a_host_on_a_narrow_line_is_slower_than_the_others, three_hosts) {
  network.limit(1, 2e6);
  const auto measured =
      load_from(program.from({1, 1, 1}), {"--load", "c12/512", "--duration", "1s"});
  const auto& hosts = measured.at("hosts").as_array();
  const auto narrow = number(hosts[1], "p50_us");
  BOOST_TEST_MESSAGE("p50: " << number(hosts[0], "p50_us") << ", " << narrow << " and "
                             << number(hosts[2], "p50_us") << " us");
  BOOST_TEST(narrow > 3 * number(hosts[0], "p50_us"));
  BOOST_TEST(narrow > 3 * number(hosts[2], "p50_us"));
}

BOOST_FIXTURE_TEST_CASE(a_delay_on_the_line_of_a_host_is_in_its_times_alone, three_hosts) {
  if (!delayed_line::why_not().empty()) {
    BOOST_TEST_MESSAGE("no line can be delayed here: " << delayed_line::why_not());
    return;
  }
  const delayed_line slow{network, 1, {.from_host = 5ms, .to_host = 0ms}};
  const auto measured =
      load_from(program.from({1, 1, 1}), {"--load", "c12/64", "--rate", "300", "--duration", "1s"});
  const auto& hosts = measured.at("hosts").as_array();
  for (std::size_t host = 0; host < 3; ++host) {
    const auto p50_us = number(hosts[host], "p50_us");
    BOOST_TEST_MESSAGE("p50 " << p50_us << " us");
    BOOST_TEST((p50_us >= 5000) == (host == 1));
    BOOST_TEST(p50_us < 15'000);
  }
}

// Whatever else wants the CPUs at the same time would delay them.
BOOST_FIXTURE_TEST_CASE(hosts_begin_each_of_a_hundred_slices_together, three_hosts,
                        *boost::unit_test::label("alone")) {
  const std::atomic<bool> stop{false};
  bench::fleet generators{
      bench::parse_hosts({.from = program.from({1, 1, 1}), .launcher = program.launcher()}), stop};
  BOOST_TEST(bench::text_of(generators.hosts()) == "3 hosts, 3 generators");
  const auto client = generators.make_client(bench::scenario::parse("c3/64"), 1);
  const auto number =
      client->add_server("server", bench::address::resolve(network.own_address(), server.port()));
  client->connect(number, 3);
  std::vector<double> skews;
  for (int slice = 0; slice < 100; ++slice) {
    client->start({number});
    const auto sample = client->run(20ms).front();
    for (const auto& each : sample.hosts) skews.push_back(each.start_skew_us);
    client->finish();
  }
  std::sort(skews.begin(), skews.end());
  BOOST_TEST(skews.size() == 300u);
  const auto late = skews.end() - std::upper_bound(skews.begin(), skews.end(), 5000);
  BOOST_TEST_MESSAGE("start skew: median " << skews[150] << ", p99 " << skews[297] << ", longest "
                                           << skews.back() << " us; " << late
                                           << " of 300 above 5 ms");
  BOOST_TEST(skews.back() < 5000);
}

BOOST_FIXTURE_TEST_CASE(segments_that_are_sent_again_are_counted, three_hosts) {
  const std::atomic<bool> stop{false};
  const auto sent_again = network.in_host(0, [&] {
    bench::load_generator client{bench::scenario::parse("c4/64"), 1, stop};
    const auto number =
        client.add_server("server", bench::address::resolve(network.own_address(), server.port()));
    client.connect(number, 4);
    BOOST_TEST(client.retransmits(number) == 0);
    network.cut(0);
    std::thread healing{[&] {
      std::this_thread::sleep_for(500ms);
      network.heal(0);
    }};
    client.start({number});
    client.run(1s);
    client.finish();
    healing.join();
    return client.retransmits(number);
  });
  BOOST_TEST(sent_again >= 4);
}

BOOST_FIXTURE_TEST_CASE(this_host_can_have_several_generators, three_hosts) {
  const auto measured = load_from("localhost:2", {"--load", "c4/64", "--duration", "300ms"});
  const auto& hosts = measured.at("hosts").as_array();
  BOOST_REQUIRE(hosts.size() == 1u);
  BOOST_TEST(hosts[0].at("host").as_string() == "localhost");
  BOOST_TEST(count(hosts[0], "generators") == 2);
  BOOST_TEST(holds(shown, "load from 1 host, 2 generators"), shown);
  BOOST_TEST(holds(shown, "localhost:2"), shown);
  // Both found out the prefix and have two connections.
  BOOST_TEST(server.total().accepted == 2u + 4u);
  BOOST_TEST(received() == 64 * (count(measured, "messages_in_all") + 4) + 2 * probe_bytes);
}

BOOST_FIXTURE_TEST_CASE(a_host_that_is_not_there_is_named, three_hosts) {
  const auto ended = program.run({"load", target(), "--from", network.name(0) + ",no-such-host"});
  BOOST_TEST(ended.exit_code == 6);
  BOOST_TEST(lines_in(ended.err) == 1, ended.err);
  BOOST_TEST(holds(ended.err, "no-such-host: "), ended.err);
  BOOST_TEST(program.left_after(3s).empty());
}

BOOST_FIXTURE_TEST_CASE(who_interrupts_a_load_from_hosts_leaves_nothing_there, three_hosts) {
  program.start({"load", target(), "--from", program.from({1, 1, 1}), "--duration", "60m"});
  while (server.total().received_bytes < 1'000'000 && program.runs())
    std::this_thread::sleep_for(1ms);
  program.look();
  program.interrupt();
  BOOST_TEST(program.wait(10s).exit_code == 130);
  BOOST_TEST(program.left_after(3s).empty());
}

BOOST_AUTO_TEST_SUITE_END()
