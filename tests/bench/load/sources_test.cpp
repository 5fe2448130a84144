// The connections of a client begin at the addresses that it is given, and its replies are counted.
#include <bench/load/generator.hpp>

#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>

#include <tests/bench/hosts/counting_echo.hpp>

using namespace std::chrono_literals;

namespace {

struct client_of_a_counting_server {
  std::atomic<bool> stop{false};
  counting_echo server{listen_on("127.0.0.1")};
  bench::address where = bench::address::resolve("127.0.0.1", server.port());

  bench::load_generator client(const char* load) { return {bench::scenario::parse(load), 1, stop}; }
  static std::vector<bench::address> addresses(const std::vector<std::string>& texts) {
    std::vector<bench::address> all;
    for (const auto& each : texts) all.push_back(bench::address::resolve(each, 0));
    return all;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sources)

BOOST_FIXTURE_TEST_CASE(connections_begin_at_the_addresses_in_turn, client_of_a_counting_server) {
  auto loading = client("c5/64");
  loading.set_sources(addresses({"127.0.0.2", "127.0.0.3"}));
  const auto number = loading.add_server("server", where);
  loading.connect(number, 5);
  BOOST_TEST(server.of("127.0.0.2").accepted == 3u);
  BOOST_TEST(server.of("127.0.0.3").accepted == 2u);
  BOOST_TEST(server.of("127.0.0.1").accepted == 1u);  // which found out the prefix
  BOOST_TEST(server.total().accepted == 6u);
}

BOOST_FIXTURE_TEST_CASE(under_churn_too_each_connection_begins_there, client_of_a_counting_server) {
  auto loading = client("c2/64/churn");
  loading.set_sources(addresses({"127.0.0.2", "127.0.0.3"}));
  const auto number = loading.add_server("server", where);
  loading.connect(number, 2);
  loading.start({number});
  loading.run(50ms);
  loading.finish();
  BOOST_TEST(server.of("127.0.0.2").accepted > 3u);
  BOOST_TEST(server.of("127.0.0.3").accepted > 3u);
  BOOST_TEST(server.of("127.0.0.1").accepted <= 1u);
}

BOOST_FIXTURE_TEST_CASE(an_address_of_another_host_is_refused, client_of_a_counting_server) {
  auto loading = client("c1/64");
  loading.set_sources(addresses({"192.0.2.1"}));  // RFC 5737: of documents, and of no host
  const auto names_it = [](const std::exception& error) {
    return std::string{error.what()}.find("192.0.2.1") != std::string::npos;
  };
  const auto number = loading.add_server("server", where);
  BOOST_CHECK_EXCEPTION(loading.connect(number, 1), bench::run_invalid, names_it);
}

BOOST_FIXTURE_TEST_CASE(every_whole_reply_of_a_server_is_counted, client_of_a_counting_server) {
  const counting_echo other{listen_on("127.0.0.1")};
  auto loading = client("c4/64/d2");
  const auto number = loading.add_server("server", where);
  const auto second =
      loading.add_server("other", bench::address::resolve("127.0.0.1", other.port()));
  BOOST_TEST(loading.replies(number) == 0);
  loading.connect(number, 4);
  loading.connect(second, 1);
  BOOST_TEST(loading.replies(number) == 4 * 2);
  BOOST_TEST(loading.replies(second) == 2);
  for (int i = 0; i < 3; ++i) {
    loading.start({number});
    loading.run(20ms);
    loading.finish();
  }
  BOOST_TEST(loading.replies(number) > 4 * 2);
  BOOST_TEST(static_cast<std::int64_t>(server.total().received_bytes) ==
             2 + 64 * loading.replies(number));
  BOOST_TEST(loading.replies(second) == 2);
  BOOST_TEST(loading.retransmits(second) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
