// counting_echo: an echo server that tells what it received, in a thread of the test.
//
//     counting_echo server{network.in_host(1, [] { return listen_on("0.0.0.0"); })};
//     server.port();
//     server.total().received_bytes;
//     server.of(network.address(0)).accepted;   // what came from that host
//
// It holds as many connections as this process may have descriptors: it raises that limit to the
// highest that is permitted.
#pragma once

#include <bench/contract/descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

struct echo_counts {
  std::size_t accepted = 0;  // connections
  std::size_t open = 0;
  std::uint64_t received_bytes = 0;
};

// Throws std::system_error. Port 0 stands for any that is free. Several may listen on a port if it
// is shared; then each gets some of the connections.
bench::descriptor listen_on(const std::string& address, std::uint16_t port = 0,
                            bool is_shared = false);

class counting_echo {
 public:
  // Each receive is answered by the prefix and the same bytes.
  explicit counting_echo(bench::descriptor listener, std::string prefix = "GOT:");
  ~counting_echo();
  counting_echo(const counting_echo&) = delete;
  counting_echo& operator=(const counting_echo&) = delete;

  std::uint16_t port() const { return port_; }
  echo_counts total() const;
  echo_counts of(const std::string& address) const;
  // Why a connection could not be accepted; empty if all were.
  std::string failure() const;

 private:
  struct connection {
    bench::descriptor socket;
    echo_counts* counts;
    std::string unsent;
  };

  void serve();
  void accept_all();
  void serve(connection& client);
  bool receive(connection& client);
  bool send(connection& client);
  void watch(int descriptor, std::uint32_t events, bool is_new);
  void close(connection& client);

  bench::descriptor listener_;
  std::string prefix_;
  std::uint16_t port_;
  bench::descriptor stop_;
  bench::descriptor epoll_;
  std::unordered_map<int, connection> clients_;
  mutable std::mutex mutex_;  // of the counts and of the failure
  std::map<std::string, echo_counts> by_address_;
  std::string failure_;
  std::thread thread_;
};
