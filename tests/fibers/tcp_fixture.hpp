// tcp_fixture: a scheduler with a listener, and two fibers that talk over one connection.
//
//     talk([](tcp::stream& server) { ... }, [](tcp::stream& client) { ... });
#pragma once

#include <netinet/tcp.h>

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tests/fibers/scheduler_fixture.hpp>

namespace asio = boost::asio;
namespace tcp = fibers::tcp;
using tcp::error_code;

// Longer than a wait takes on any machine. A test that waits this long has failed.
inline constexpr std::chrono::seconds patience{20};

struct tcp_fixture : scheduler_fixture {
  tcp::listener listener{"127.0.0.1", 0};
  std::uint16_t port = listener.local_endpoint().port();

  tcp::stream connected() const {
    auto client = tcp::connect("127.0.0.1", port);
    client.expires_after(patience);
    return client;
  }

  template <class Server, class Client>
  void talk(Server server, Client client) {
    scheduler.spawn("server", [this, &server] {
      auto stream = listener.accept();
      stream.expires_after(patience);
      server(stream);
    });
    scheduler.spawn("client", [this, &client] {
      auto stream = connected();
      client(stream);
    });
    scheduler.run();
  }
};

// A listener whose backlog is full, so that connecting to it waits.
struct full_listener : bound_socket {
  full_listener() {
    checked(::listen(socket.get(), 0), "listen");
    const auto address = loopback(port);
    for (int i = 0; i < 3; ++i) {
      waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      ::connect(waiting.back().get(), generic(address), sizeof address);
    }
    while (!is_full()) std::this_thread::yield();
  }
  // Of a listener, tcpi_unacked counts the connections in the backlog, and tcpi_sacked is its
  // limit.
  bool is_full() const {
    tcp_info info{};
    socklen_t length = sizeof info;
    checked(::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &length), "TCP_INFO");
    return info.tcpi_unacked > info.tcpi_sacked;
  }
  tcp::endpoint endpoint() const { return {asio::ip::make_address("127.0.0.1"), port}; }
  std::vector<descriptor> waiting;
};

inline std::string read_exactly(tcp::stream& from, std::size_t size) {
  std::string bytes(size, '\0');
  asio::read(from, asio::buffer(bytes));
  return bytes;
}

inline void write(tcp::stream& to, const std::string& bytes) {
  asio::write(to, asio::buffer(bytes));
}
