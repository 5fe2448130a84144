// honest_clients: connections that send small messages at a steady rate and time the replies.
//
//     honest_clients clients{server.port(), 100};
//     const auto trips = clients.talk(50, milliseconds{100});   // 50 messages of each
//     trips.answered                                            // 5000
//     trips.quantile_us(0.99)
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include <tests/bench/contract/expected_echo.hpp>
#include <tests/bench/contract/server_process.hpp>

struct round_trips {
  std::size_t answered = 0;
  std::size_t ended = 0;  // connections that the server closed
  std::size_t wrong = 0;  // connections that received a wrong byte
  std::vector<double> sorted_us;

  double quantile_us(double share) const;
};

class honest_clients {
 public:
  honest_clients(int port, std::size_t count);  // returns when all are connected
  ~honest_clients();
  honest_clients(const honest_clients&) = delete;
  honest_clients& operator=(const honest_clients&) = delete;

  std::size_t size() const { return clients_.size(); }

  // Each client sends so many messages, one per `pause`, and the clients take turns. If a reply
  // comes after the next message was due, that message counts from when it was due. Returns when
  // all are answered, or nothing has come for the time of `patience`.
  round_trips talk(std::size_t messages, milliseconds pause);

 private:
  using clock_type = std::chrono::steady_clock;

  struct client {
    int socket;
    expected_echo replies = {};
    std::size_t sent = 0;               // letters
    clock_type::time_point since = {};  // when the message began that is not answered yet
    std::vector<clock_type::time_point> late = {};  // when the messages were due that must wait
  };

  void send_due(client& who, clock_type::time_point due);
  void receive(client& who, round_trips& trips);
  void end(client& who, std::size_t& count);

  int epoll_;
  std::vector<client> clients_;
};
