// odd_server: an echo server whose replies a test chooses, right or wrong.
//
//     odd_server server{{.reply = [](std::string_view got) { return std::string{got} + "!"; }}};
//     server.port();
//
// One thread and a blocking poll(): short rather than fast.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

struct odd_behaviour {
  std::function<std::string(std::string_view)> reply = [](std::string_view got) {
    return std::string{got};
  };
  std::size_t receive_bytes = 1000;                      // most bytes per receive
  std::size_t send_bytes = 1 << 20;                      // a reply is sent in pieces of this size
  bool no_delay = true;                                  // TCP_NODELAY
  std::function<bool()> hang_up = [] { return false; };  // true: closes instead of replying
};

class odd_server {
 public:
  explicit odd_server(odd_behaviour behaviour = {}, std::uint16_t port = 0)
      : behaviour_{std::move(behaviour)},
        listener_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof where;
    auto* generic = reinterpret_cast<sockaddr*>(&where);
    if (bind(listener_, generic, length) != 0 || listen(listener_, 1024) != 0 ||
        getsockname(listener_, generic, &length) != 0) {
      throw std::system_error{errno, std::generic_category(), "odd_server"};
    }
    port_ = ntohs(where.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~odd_server() {
    stop_ = true;
    thread_.join();
    for (const auto& each : watched_) close(each.fd);
  }
  odd_server(const odd_server&) = delete;
  odd_server& operator=(const odd_server&) = delete;

  std::uint16_t port() const { return port_; }
  int accepted() const { return accepted_; }

 private:
  void serve() {
    watched_.push_back({listener_, POLLIN, 0});
    while (!stop_) {
      poll(watched_.data(), watched_.size(), 20);
      for (std::size_t i = watched_.size(); i-- > 1;) {
        if (watched_[i].revents != 0 && !answer(watched_[i].fd)) {
          close(watched_[i].fd);
          watched_.erase(watched_.begin() + static_cast<std::ptrdiff_t>(i));
        }
      }
      if ((watched_[0].revents & POLLIN) != 0) accept_one();
    }
  }

  void accept_one() {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    ++accepted_;
    const int on = behaviour_.no_delay;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watched_.push_back({client, POLLIN, 0});
  }

  bool answer(int client) {
    std::vector<char> bytes(behaviour_.receive_bytes);
    const auto count = recv(client, bytes.data(), bytes.size(), 0);
    if (count <= 0 || behaviour_.hang_up()) return false;
    const auto reply = behaviour_.reply({bytes.data(), static_cast<std::size_t>(count)});
    for (std::string_view rest = reply; !rest.empty();) {
      const auto piece = rest.substr(0, behaviour_.send_bytes);
      const auto sent = send(client, piece.data(), piece.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  odd_behaviour behaviour_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> accepted_{0};
  std::vector<pollfd> watched_;
  std::thread thread_;
};
