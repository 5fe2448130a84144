// Which of several listeners gets a connection. The servers take their listeners from
// listening_sockets(), so these facts hold for all of them.
#include <bench/contract/contract.hpp>
#include <bench/contract/descriptor.hpp>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <system_error>
#include <vector>

#include <tests/bench/contract/echo_client.hpp>

namespace {

using bench::descriptor;
using counts = std::vector<int>;

// The listeners of a server with so many loops.
struct steered_listeners {
  steered_listeners(int count, const std::string& how, const std::string& host = "127.0.0.1") {
    const auto threads = std::to_string(count);
    const std::vector<const char*> words{"some_echo",    "--port",    "0",
                                         "--host",       host.data(), "--threads",
                                         threads.data(), "--steer",   how.data()};
    const auto options = bench::read_server_options(
        static_cast<int>(words.size()), words.data(),
        {.name = "some_echo", .io = {"epoll"}, .automatic = "epoll", .styles = {}});
    for (const int each : bench::listening_sockets(*options)) all.emplace_back(each);
  }

  int port() const {
    sockaddr_in6 address{};
    socklen_t length = sizeof address;
    getsockname(all.front().get(), reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin6_port);  // where IPv4 has it
  }

  // How many connections each accepts, until for 50 ms there is none.
  counts accepted() const {
    counts found(all.size());
    for (bool more = true; more;) {
      more = false;
      for (std::size_t i = 0; i < all.size(); ++i)
        for (; descriptor{accept4(all[i].get(), nullptr, nullptr, SOCK_CLOEXEC)}; more = true)
          ++found[i];
      if (more) usleep(50'000);
    }
    return found;
  }

  std::vector<descriptor> all;
};

bool has_ipv6() {
  const descriptor probe{socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  return probe && bind(probe.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

boost::test_tools::assertion_result turns_are_permitted(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result permitted{true};
  const steered_listeners two{2, "hash"};
  try {
    bench::steer({two.all[0].get(), two.all[1].get()}, bench::steering::in_turn);
  } catch (const std::system_error& error) {
    permitted = false;
    permitted.message() << error.what();
  }
  return permitted;
}

// Connects clients whose ports are for the first listener once, for the second twice, and so on.
void expect_what_the_ports_ask_for(int count, const std::string& host, const char* to) {
  const steered_listeners listeners{count, "port", host};
  std::vector<echo_client> clients;
  counts expected;
  for (int each = 0; each < count; ++each) {
    expected.push_back(each + 1);
    for (int i = 0; i < expected.back(); ++i)
      clients.push_back(echo_client::for_loop(each, count, listeners.port(), to));
  }
  BOOST_TEST(listeners.accepted() == expected, fmt::format("{} at {}", count, host));
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_way_to_steer_has_a_name) {
  for (const auto* name : {"hash", "port", "turn"})
    BOOST_TEST(bench::name_of(bench::steering_named(name).value()) == name);
  BOOST_TEST(!bench::steering_named("").has_value());
  BOOST_TEST(!bench::steering_named("ports").has_value());
}

BOOST_AUTO_TEST_CASE(
    by_port_sixteen_neighbouring_ports_go_to_one_listener_and_the_next_to_the_next) {
  for (const int count : {2, 3, 8, 16})
    expect_what_the_ports_ask_for(count, "127.0.0.1", "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(by_port_listeners_of_ipv6_are_steered_and_such_of_both) {
  if (!has_ipv6()) {
    BOOST_TEST_MESSAGE("skipped: this machine has no ::1");
    return;
  }
  for (const int count : {2, 3, 8}) {
    expect_what_the_ports_ask_for(count, "::1", "::1");
    expect_what_the_ports_ask_for(count, "::", "::1");
    expect_what_the_ports_ask_for(count, "::", "127.0.0.1");
  }
}

BOOST_AUTO_TEST_CASE(by_port_a_client_whose_packets_carry_ip_options_is_steered_as_well) {
  constexpr int own_port = 10'016, own_listener = own_port / 16 % 16;
  const steered_listeners listeners{16, "port"};
  const descriptor client{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const unsigned char no_operation[4] = {1, 1, 1, 1};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<unsigned>(getpid()) % 60'000);
  address.sin_port = htons(own_port);
  BOOST_REQUIRE(setsockopt(client.get(), IPPROTO_IP, IP_OPTIONS, no_operation, 4) == 0);
  BOOST_REQUIRE(bind(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(listeners.port()));
  BOOST_REQUIRE(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  counts expected(16, 0);
  expected[own_listener] = 1;
  BOOST_TEST(listeners.accepted() == expected);
}

BOOST_AUTO_TEST_CASE(in_turn_every_listener_gets_as_many_whatever_the_ports,
                     *boost::unit_test::precondition(turns_are_permitted)) {
  for (const int count : {2, 3, 8, 16}) {
    const steered_listeners listeners{count, "turn"};
    std::vector<echo_client> clients;
    for (int i = 0; i < 2 * count; ++i) clients.emplace_back(listeners.port());
    for (int i = 0; i < 2 * count; ++i)
      clients.push_back(echo_client::for_loop(1, count, listeners.port()));
    BOOST_TEST(listeners.accepted() == counts(static_cast<std::size_t>(count), 4), count);
  }
}

// The programs may return the number of a listener that is gone. Then the kernel takes another.
BOOST_AUTO_TEST_CASE(when_a_listener_closes_the_others_get_its_connections) {
  const bool turns = turns_are_permitted({});
  for (const std::string how : {"hash", "port", "turn"}) {
    if (how == "turn" && !turns) continue;
    steered_listeners listeners{4, how};
    listeners.all.erase(listeners.all.begin() + 1);
    std::vector<echo_client> clients;
    for (int i = 0; i < 40; ++i)
      clients.push_back(echo_client::for_loop(i % 4, 4, listeners.port()));
    const auto found = listeners.accepted();
    BOOST_TEST(found[0] + found[1] + found[2] == 40, how);
  }
}
