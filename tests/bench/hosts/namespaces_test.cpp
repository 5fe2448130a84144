// The hosts, the lines and the server that facts about several hosts stand on.
#include <tests/bench/hosts/namespaces.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <tests/bench/hosts/counting_echo.hpp>
#include <tests/bench/hosts/line.hpp>
#include <tests/child_process.hpp>

BOOST_TEST_GLOBAL_CONFIGURATION(permitted_network);

using namespace std::chrono_literals;
using client_clock = std::chrono::steady_clock;

namespace {

// A server on one of the hosts.
struct echo_on_a_host {
  echo_on_a_host(const test_network& network, std::size_t host)
      : server{network.in_host(host, [] { return listen_on("0.0.0.0"); })},
        address{network.address(host)} {}

  counting_echo server;
  std::string address;
};

// A blocking connection.
class client {
 public:
  client(const std::string& address, std::uint16_t port)
      : socket_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    const timeval patience{10, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &where.sin_addr);
    if (connect(socket_.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0)
      throw std::system_error{errno, std::generic_category(), "connect to " + address};
  }
  client(const test_network& network, std::size_t host, const echo_on_a_host& echo)
      : client{network.in_host(host, [&] {
          return client{echo.address, echo.server.port()};
        })} {}

  void send(std::string_view bytes) const {
    if (::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(bytes.size()))
      throw std::system_error{errno, std::generic_category(), "send"};
  }
  // Fewer if no more come.
  std::string receive(std::size_t size) const {
    std::string bytes(size, '\0');
    const auto got = recv(socket_.get(), bytes.data(), size, MSG_WAITALL);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }
  void receive_some() const {
    std::array<char, 65536> bytes;
    (void)recv(socket_.get(), bytes.data(), bytes.size(), 0);
  }
  bool hears_something_within(std::chrono::milliseconds time) const {
    pollfd watched{socket_.get(), POLLIN, 0};
    return poll(&watched, 1, static_cast<int>(time.count())) > 0;
  }
  std::string asks(std::string_view bytes) const {
    send(bytes);
    return receive(4 + bytes.size());
  }
  std::chrono::duration<double, std::milli> round_trip() const {
    const auto begin = client_clock::now();
    BOOST_TEST(asks("x") == "GOT:x");
    return client_clock::now() - begin;
  }
  double best_round_trip() const {  // in milliseconds
    auto best = round_trip();
    for (int i = 0; i < 9; ++i) best = std::min(best, round_trip());
    return best.count();
  }

 private:
  bench::descriptor socket_;
};

// How long it takes the client to send so much and the server to receive it.
double seconds_for(std::size_t size, const client& sender, const counting_echo& server) {
  const std::string bytes(size, 'b');
  std::thread reader{[&] {
    while (server.total().received_bytes < size) sender.receive_some();
  }};
  const auto begin = client_clock::now();
  sender.send(bytes);
  reader.join();
  return std::chrono::duration<double>{client_clock::now() - begin}.count();
}

// The namespaces and links that this machine has of the test networks of a process.
std::vector<std::string> left_of(pid_t pid) {
  std::vector<std::string> found;
  const auto take = [&](const std::string& name) {
    if (name.starts_with("ebt" + std::to_string(pid))) found.push_back(name);
  };
  for (const auto& each : std::filesystem::directory_iterator{"/run/netns"})
    take(each.path().filename());
  auto* links = if_nameindex();
  for (auto* each = links; each->if_index != 0; ++each) take(each->if_name);
  if_freenameindex(links);
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(namespaces)

BOOST_AUTO_TEST_CASE(hosts_exchange_bytes_with_each_other_and_with_this_machine) {
  const test_network network{3};
  const echo_on_a_host far{network, 1};
  BOOST_TEST((client{network, 0, far}.asks("hello") == "GOT:hello"));
  BOOST_TEST((client{network, 2, far}.asks("again") == "GOT:again"));
  BOOST_TEST((client{far.address, far.server.port()}.asks("from here") == "GOT:from here"));
  const counting_echo here{listen_on(network.own_address())};
  const auto back = network.in_host(0, [&] { return client{network.own_address(), here.port()}; });
  BOOST_TEST(back.asks("to here") == "GOT:to here");
  BOOST_TEST(far.server.of(network.address(2)).received_bytes == 5u);
  BOOST_TEST(far.server.of(network.own_address()).received_bytes == 9u);
  BOOST_TEST(far.server.total().received_bytes == 19u);
}

BOOST_AUTO_TEST_CASE(a_command_runs_on_the_host_that_it_is_given_to) {
  const test_network network{2};
  const auto links = run_program(network.words_in(1, {"ip", "-br", "-4", "address"}));
  BOOST_TEST(links.exit_code == 0, links.errors);
  BOOST_TEST(links.output.find(network.address(1) + "/24") != links.output.npos, links.output);
}

BOOST_AUTO_TEST_CASE(a_host_that_is_cut_off_hears_nothing_until_it_is_healed) {
  test_network network{3};
  const echo_on_a_host far{network, 1};
  const client cut_off{network, 0, far};
  const client other{network, 2, far};
  BOOST_TEST(cut_off.asks("before") == "GOT:before");
  network.cut(0);
  cut_off.send("during");
  BOOST_TEST(!cut_off.hears_something_within(300ms));
  BOOST_TEST(other.asks("beside") == "GOT:beside");
  network.heal(0);
  BOOST_TEST(cut_off.receive(10) == "GOT:during");
}

BOOST_AUTO_TEST_CASE(a_limit_slows_a_transfer_until_it_is_lifted) {
  test_network network{2};
  const echo_on_a_host first{network, 1};
  network.limit(0, 16e6);  // two megabytes per second
  const auto limited = seconds_for(2'000'000, {network, 0, first}, first.server);
  BOOST_TEST(limited > 0.8);
  BOOST_TEST(limited < 10);
  network.lift_limit(0);
  const echo_on_a_host second{network, 1};
  BOOST_TEST(seconds_for(2'000'000, {network, 0, second}, second.server) < limited / 2);
}

BOOST_AUTO_TEST_CASE(two_networks_at_a_time_have_addresses_and_names_of_their_own) {
  const test_network one{1};
  const test_network other{1};
  BOOST_TEST(one.address(0) != other.address(0));
  BOOST_TEST(one.name(0) != other.name(0));
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_a_network_nor_what_still_ran_there) {
  pid_t running = 0;
  {
    const test_network network{2};
    BOOST_TEST(left_of(getpid()).size() == 4u);  // two hosts, the switch, and the line to it
    BOOST_TEST(network.processes_in(0).empty());
    const auto command = network.words_in(1, {"sleep", "60"});
    running = fork();
    if (running == 0) {
      execl(command[0].c_str(), "ip", "netns", "exec", command[3].c_str(), "sleep", "60", nullptr);
      _exit(127);
    }
    while (network.processes_in(1).empty()) std::this_thread::sleep_for(1ms);
    BOOST_TEST(network.processes_in(1) == std::vector{running});
    BOOST_TEST(network.processes_in(0).empty());
  }
  BOOST_TEST(left_of(getpid()).empty());
  int status = 0;
  BOOST_TEST(waitpid(running, &status, WNOHANG) == running);
  BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

BOOST_AUTO_TEST_CASE(what_a_killed_process_has_left_is_removed_by_the_next) {
  const auto killed = fork();
  if (killed == 0) {
    const test_network lost{2};
    raise(SIGKILL);
  }
  waitpid(killed, nullptr, 0);
  BOOST_TEST(left_of(killed).size() == 4u);
  const test_network next{1};
  BOOST_TEST(left_of(killed).empty());
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

boost::test_tools::assertion_result lines_can_be_delayed(boost::unit_test::test_unit_id) {
  const auto& reason = delayed_line::why_not();
  boost::test_tools::assertion_result possible{reason.empty()};
  if (!possible) BOOST_TEST_MESSAGE("skipped: no line can be delayed here: " << reason);
  return possible;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(line, *boost::unit_test::precondition(lines_can_be_delayed))

BOOST_AUTO_TEST_CASE(a_delayed_line_takes_its_time_in_both_directions) {
  test_network network{2};
  const echo_on_a_host far{network, 1};
  const client before{network, 0, far};
  BOOST_TEST(before.best_round_trip() < 5);
  {
    const delayed_line slow{network, 0};
    const client delayed{network, 0, far};
    BOOST_TEST(delayed.best_round_trip() >= 10);
    BOOST_TEST(delayed.best_round_trip() < 40);
    BOOST_TEST(slow.carried() > 40u);
    BOOST_TEST(slow.lost() == 0u);
  }
  BOOST_TEST(before.best_round_trip() < 5);  // the same connection goes on
}

BOOST_AUTO_TEST_CASE(a_line_can_be_delayed_in_one_direction) {
  test_network network{2};
  const echo_on_a_host far{network, 1};
  for (const line_delays& delays : {line_delays{.from_host = 0ms, .to_host = 8ms},
                                    line_delays{.from_host = 8ms, .to_host = 0ms}}) {
    const delayed_line slow{network, 0, delays};
    const auto best = client{network, 0, far}.best_round_trip();
    BOOST_TEST(best >= 8);
    BOOST_TEST(best < 16);
  }
}

BOOST_AUTO_TEST_CASE(a_delayed_line_carries_ten_megabytes_per_second) {
  test_network network{2};
  const echo_on_a_host far{network, 1};
  const delayed_line slow{network, 0};
  BOOST_TEST(seconds_for(20'000'000, {network, 0, far}, far.server) < 2);
}

BOOST_AUTO_TEST_CASE(frames_that_take_longer_by_chance_keep_their_order) {
  test_network network{2};
  const echo_on_a_host far{network, 1};
  const delayed_line uneven{
      network, 0, {.from_host = 1ms, .to_host = 1ms, .spread = 20ms, .seed = 7}};
  const client delayed{network, 0, far};
  std::vector<double> times;
  for (int i = 0; i < 20; ++i) times.push_back(delayed.round_trip().count());
  const auto [least, most] = std::minmax_element(times.begin(), times.end());
  BOOST_TEST(*least >= 2);
  BOOST_TEST(*most > *least + 5);
}

BOOST_AUTO_TEST_CASE(a_delayed_line_can_be_cut_and_healed) {
  test_network network{2};
  const echo_on_a_host far{network, 1};
  const delayed_line slow{network, 0};
  const client delayed{network, 0, far};
  BOOST_TEST(delayed.asks("before") == "GOT:before");
  network.cut(0);
  delayed.send("during");
  BOOST_TEST(!delayed.hears_something_within(300ms));
  BOOST_TEST(slow.lost() > 0u);
  network.heal(0);
  BOOST_TEST(delayed.receive(10) == "GOT:during");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(counting)

BOOST_AUTO_TEST_CASE(thousands_of_connections_are_counted_and_so_is_what_they_send) {
  const counting_echo server{listen_on("127.0.0.1")};
  constexpr std::size_t many = 4000;
  {
    std::vector<client> clients;
    for (std::size_t i = 0; i < many; ++i) clients.emplace_back("127.0.0.1", server.port());
    for (const auto& each : clients) each.send("12345678");
    for (const auto& each : clients) BOOST_REQUIRE(each.receive(12) == "GOT:12345678");
    BOOST_TEST(server.total().accepted == many);
    BOOST_TEST(server.total().open == many);
    BOOST_TEST(server.of("127.0.0.1").received_bytes == 8 * many);
    BOOST_TEST(server.of("127.0.0.2").accepted == 0u);
  }
  while (server.total().open != 0) std::this_thread::sleep_for(1ms);
  BOOST_TEST(server.total().accepted == many);
  BOOST_TEST(server.failure().empty());
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_still_gets_every_byte_in_the_end) {
  const counting_echo server{listen_on("127.0.0.1"), ""};
  const client slow{"127.0.0.1", server.port()};
  constexpr std::size_t size = 20'000'000;
  std::string sent(size, 'a');
  for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>('a' + i % 23);
  std::thread sender{[&] { slow.send(sent); }};
  std::this_thread::sleep_for(100ms);  // in which the buffers fill
  const bool same = slow.receive(size) == sent;
  sender.join();
  BOOST_TEST(same);
  BOOST_TEST(server.total().received_bytes == size);
}

BOOST_AUTO_TEST_SUITE_END()
