// 100,000 connections from four hosts are held at the same time, and every byte on them is right.
// One process has too few descriptors for them: eight generators load a server of eight processes.
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iostream>

#include <tests/bench/hosts/counting_echo.hpp>
#include <tests/bench/hosts/over_mpi/loading.hpp>

namespace {

constexpr std::size_t processes = 8;
constexpr std::uint64_t connections = 100'000;
constexpr rlim_t descriptors = 15'000;  // of each process; the kernel shares connections unevenly
constexpr std::uint64_t kib_of_memory = 8U << 20;

std::string what_is_missing() {
  rlimit permitted{};
  getrlimit(RLIMIT_NOFILE, &permitted);
  if (permitted.rlim_max < descriptors)
    return fmt::format("a process may have {} descriptors, and {} are needed", permitted.rlim_max,
                       descriptors);
  std::ifstream in{"/proc/meminfo"};
  std::string name;
  for (std::uint64_t kib = 0; in >> name >> kib; in.ignore(100, '\n'))
    if (name == "MemAvailable:" && kib < kib_of_memory)
      return fmt::format("{} MiB of memory are free, and 8 GiB are needed", kib >> 10);
  return {};
}

struct permitted_crowd {
  permitted_crowd() {
    const permitted_loads loads;
    const auto missing = what_is_missing();
    if (missing.empty()) return;
    std::cout << "skipped: " << missing << '\n' << std::flush;
    std::_Exit(77);
  }
};
BOOST_TEST_GLOBAL_CONFIGURATION(permitted_crowd);

// Several processes that listen on one port. Each is a counting_echo.
class shared_port_echo {
 public:
  explicit shared_port_echo(const std::string& address) {
    std::vector<bench::descriptor> listeners;
    for (std::size_t i = 0; i < processes; ++i) listeners.push_back(listener(address));
    for (auto& each : listeners) start(std::move(each));
  }
  ~shared_port_echo() {
    for (const auto& each : running_) kill(each.pid, SIGKILL);
    for (const auto& each : running_) waitpid(each.pid, nullptr, 0);
  }
  shared_port_echo(const shared_port_echo&) = delete;
  shared_port_echo& operator=(const shared_port_echo&) = delete;

  std::uint16_t port() const { return port_; }
  echo_counts total() const {
    echo_counts sum;
    for (const auto& each : running_) {
      echo_counts own;
      if (::send(each.socket.get(), "?", 1, MSG_NOSIGNAL) != 1 ||
          recv(each.socket.get(), &own, sizeof own, MSG_WAITALL) != sizeof own)
        throw std::runtime_error{"a process of the server has ended"};
      sum.accepted += own.accepted;
      sum.open += own.open;
      sum.received_bytes += own.received_bytes;
    }
    return sum;
  }

 private:
  struct server_process {
    pid_t pid;
    bench::descriptor socket;
  };

  bench::descriptor listener(const std::string& address) {
    auto made = listen_on(address, port_, true);
    sockaddr_in where{};
    socklen_t length = sizeof where;
    getsockname(made.get(), reinterpret_cast<sockaddr*>(&where), &length);
    port_ = ntohs(where.sin_port);
    return made;
  }
  void start(bench::descriptor listening) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      throw std::runtime_error{"no socketpair"};
    const auto pid = fork();
    if (pid == 0) answer(std::move(listening), ends[1]);
    close(ends[1]);
    running_.push_back({pid, bench::descriptor{ends[0]}});
  }
  // In a child, which ends by SIGKILL or when this process has ended.
  [[noreturn]] static void answer(bench::descriptor listening, int asked) {
    const counting_echo server{std::move(listening)};
    for (char question; recv(asked, &question, 1, 0) == 1;) {
      const auto counts = server.total();
      (void)!::send(asked, &counts, sizeof counts, MSG_NOSIGNAL);
    }
    _exit(0);
  }

  std::uint16_t port_ = 0;
  std::vector<server_process> running_;
};

// The kernel takes every second port first, and searches all of those in vain for each connection
// once they are used up: 25,000 connections of a host would take minutes with the usual range.
void widen_ports(const test_network& network, std::size_t host) {
  network.in_host(host, [] {
    std::ofstream{"/proc/sys/net/ipv4/ip_local_port_range"} << "1024 65535\n";
    return 0;
  });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_hundred_thousand_connections_from_four_hosts_are_held_and_checked) {
  test_network network{4};
  for (std::size_t host = 0; host < network.size(); ++host) widen_ports(network, host);
  const shared_port_echo server{network.own_address()};
  loading_program program{network};
  const auto begun = std::chrono::steady_clock::now();
  program.start({"load", fmt::format("{}:{}", network.own_address(), server.port()), "--from",
                 program.from({2, 2, 2, 2}), "--load", "c1000/64+99000idle", "--duration", "5s",
                 "--json", "load.json"});
  std::size_t most = 0;
  double until_all = 0;
  while (program.runs()) {
    most = std::max(most, server.total().open);
    const auto took = std::chrono::duration<double>{std::chrono::steady_clock::now() - begun};
    if (until_all == 0 && most >= connections) until_all = took.count();
    std::this_thread::sleep_for(100ms);
  }
  const auto ended = program.wait();
  const auto took = std::chrono::duration<double>{std::chrono::steady_clock::now() - begun};
  BOOST_TEST_MESSAGE("all open after " << until_all << " s, done after " << took.count() << " s");
  BOOST_TEST(ended.exit_code == 0, ended.err);
  BOOST_TEST(most == connections);
  BOOST_TEST(server.total().accepted == connections + 8);
  const auto measured = boost::json::parse(program.folder().read("load.json")).at("measured");
  const auto in_all = measured.at("messages_in_all").to_number<std::uint64_t>();
  BOOST_TEST(server.total().received_bytes == 64 * (connections + in_all) + 8 * 2);
  BOOST_TEST(program.left_after(3s).empty());
}
