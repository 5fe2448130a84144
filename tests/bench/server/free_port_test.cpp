#include <bench/load/address.hpp>
#include <bench/server/free_port.hpp>

#include <sys/socket.h>

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <set>

using bench::free_port;

BOOST_AUTO_TEST_CASE(a_port_for_a_server_is_none_that_a_connection_gets) {
  for (int i = 0; i < 1000; ++i) {
    const auto port = free_port({32'768, 60'999});
    BOOST_TEST(port >= 20'000);
    BOOST_TEST(port < 32'768);
  }
}

BOOST_AUTO_TEST_CASE(where_connections_get_nearly_all_ports_a_server_gets_one_of_them) {
  const auto range = bench::ephemeral_ports();
  const auto port = free_port({1'024, 65'535});
  BOOST_TEST(port >= range.first);
  BOOST_TEST(port <= range.last);
}

BOOST_AUTO_TEST_CASE(a_port_that_is_taken_on_either_loopback_is_not_free) {
  constexpr std::uint16_t first = 20'000;
  for (const auto* loopback : {"127.0.0.1", "::1"}) {
    std::set<std::uint16_t> taken;
    std::vector<bench::descriptor> held;
    for (std::uint16_t port = first; port < first + 1'000; ++port) {
      const auto where = bench::address::resolve(loopback, port);
      bench::descriptor socket{::socket(where.storage.ss_family, SOCK_STREAM, 0)};
      if (::bind(socket.get(), where.get(), where.length) != 0) continue;
      taken.insert(port);
      held.push_back(std::move(socket));
    }
    if (taken.empty()) continue;  // this machine has no IPv6
    for (int i = 0; i < 20; ++i) BOOST_TEST(!taken.contains(free_port({first + 1'000, 60'999})));
  }
}
