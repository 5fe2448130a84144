// delayed_line: a line of a host on which every frame takes its time, whatever the kernel offers.
//
//     test_network network{2};
//     const delayed_line slow{network, 0, {.from_host = 5ms, .to_host = 5ms}};
//
// It stands in place of the line that test_network has made, which the destructor brings back. Both
// of its ends are TAP devices, and a thread of this process copies frames between them. Frames keep
// their order. While the port in the switch is down (test_network::cut), the host's end stays up.
#pragma once

#include <atomic>
#include <bench/contract/descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <tests/bench/hosts/namespaces.hpp>
#include <thread>

struct line_delays {
  std::chrono::nanoseconds from_host = std::chrono::milliseconds{5};
  std::chrono::nanoseconds to_host = std::chrono::milliseconds{5};
  std::chrono::nanoseconds spread{0};  // a frame takes up to so much longer, as `seed` decides
  std::uint32_t seed = 1;
};

class delayed_line {
 public:
  delayed_line(test_network& network, std::size_t host, line_delays delays = {});
  ~delayed_line();
  delayed_line(const delayed_line&) = delete;
  delayed_line& operator=(const delayed_line&) = delete;

  // Why this process can have no such line here; empty if it can.
  static const std::string& why_not();

  std::uint64_t carried() const { return carried_; }  // frames, of both directions
  std::uint64_t lost() const { return lost_; }

 private:
  void carry();

  test_network& network_;
  std::size_t host_;
  line_delays delays_;
  bench::descriptor host_end_;
  bench::descriptor port_;
  bench::descriptor stop_;
  std::atomic<std::uint64_t> carried_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::thread thread_;
};
