// hostile_crowd: many hostile connections to a server, all driven by one thread.
//
//     hostile_crowd crowd{server.port(), {.kind = hostility::never_reading, .peers = 10'000}};
//     crowd.wait_until([&] { return crowd.connected() == 10'000; });
//
// The destructor resets all connections.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

#include <tests/bench/contract/expected_echo.hpp>
#include <tests/bench/contract/server_process.hpp>

enum class hostility {
  silent,         // connects and sends nothing
  never_reading,  // writes until the kernel takes no more, and reads nothing
  slow_writing,   // writes a byte now and then, and reads every reply
  slow_reading,   // writes until the kernel takes no more, and reads a byte now and then
  flooding,       // writes and reads as fast as it can
  resetting,      // connects and resets at once, again and again; every other one sends first
};

struct crowd_plan {
  hostility kind;
  std::size_t peers;  // resetting: ignored
  // Of all peers together: bytes of the slow ones, connects of the resetting ones.
  double per_second = 0;
  // The thread has a priority below that of the program, so that it does not delay the server and
  // the honest clients where they share processors with it. Then it waits for all other programs,
  // unless this program has a real-time priority.
  bool gives_way = false;
};

class hostile_crowd {
 public:
  hostile_crowd(int port, crowd_plan plan);
  ~hostile_crowd();
  hostile_crowd(const hostile_crowd&) = delete;
  hostile_crowd& operator=(const hostile_crowd&) = delete;

  const crowd_plan& plan() const { return plan_; }
  std::size_t connected() const { return connected_; }  // resetting: connects so far
  std::size_t answered() const { return answered_; }    // peers that received a byte
  std::size_t ended() const { return ended_; }          // peers whose connection the server closed
  std::size_t wrong() const { return wrong_; }          // peers that received a wrong byte
  std::size_t bytes() const { return bytes_; }          // written by all

  double longest_pause_us() const { return longest_pause_us_; }  // in which no peer had its turn

  // Waits until the condition holds. False: it did not within `longest`.
  template <class Condition>
  static bool wait_until(Condition holds, seconds longest = patience) {
    for (const auto until = std::chrono::steady_clock::now() + longest; !holds();
         std::this_thread::sleep_for(milliseconds{2})) {
      if (std::chrono::steady_clock::now() > until) return false;
    }
    return true;
  }

 private:
  struct peer {
    int socket;
    bool connected = false;
    bool answered = false;
    std::size_t written = 0;
    expected_echo replies = {};
  };

  void run();
  void connect_some();
  void ready(peer& who, std::uint32_t events);
  void act_by_the_clock();
  void connect_and_reset();
  bool write_some(peer& who, std::size_t most);
  bool read_some(peer& who, std::size_t most);
  void end(peer& who);

  const int port_;
  const crowd_plan plan_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  int epoll_;
  std::vector<peer> peers_;
  std::size_t acts_ = 0;  // by the clock
  std::atomic<std::size_t> connected_ = 0, answered_ = 0, ended_ = 0, wrong_ = 0, bytes_ = 0;
  std::atomic<double> longest_pause_us_ = 0;
  std::atomic<bool> done_ = false;
  std::jthread thread_;  // the last member
};
