// floor_uring: the bare loop on io_uring, as fast as we know how.
//
//     floor_uring loop{options, listener, drain_signal};   // where it is forbidden: throws why
//     loop.run();                                          // until drained
//
// A turn is one io_uring_enter: it hands over everything the last turn wanted, waits, and runs what
// completed. Accepting and receiving are multishot: asked for once. Received bytes lie in buffers
// that the kernel takes from a ring of ours, each behind a prefix that is there already; the reply
// is sent from the same place and the buffer goes back into the ring. So a message costs one
// submission, two completions and a share of one system call, and is never copied by us.
//
// The kernel refers to a connection until its last completion came. That is why one is never closed
// while something is outstanding: it is shut down, which ends all that waits, and closed then.
//
// A kernel without "io_uring/poll: fix multishot recv missing EOF on wakeup race" may give a
// receive the last bytes and never the end that came with them. So each connection also polls once
// for its end, and then asks for the receive again.
#pragma once

#include <bench/contract/contract.hpp>
#include <bench/floor/alarm.hpp>

#include <liburing.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace bench {

class floor_uring {
 public:
  floor_uring(const server_options& options, int listener, int drain_signal);
  ~floor_uring();
  floor_uring(const floor_uring&) = delete;
  floor_uring& operator=(const floor_uring&) = delete;

  void run();

 private:
  using clock = floor_alarm::clock;
  static constexpr auto never = floor_alarm::never;
  static constexpr int none = -1;
  static constexpr unsigned most_unsent = 2;  // replies of a connection, before it receives no more

  enum class request : std::uint8_t { accept, receive, end, send, cancel, alarm, drain };
  enum class receiving : std::uint8_t { no, yes, cancelled };

  struct connection {
    bool open = false;
    bool ended = false;    // nothing will be received any more
    bool watched = false;  // the poll for its end has not completed
    bool moved = false;    // a byte went in or out since the last look for idle ones
    receiving state = receiving::no;
    unsigned unsent = 0;              // replies, linked from the first, which the kernel has
    int first = none, last = none;    // buffers
    clock::time_point still_since{};  // valid while it has not moved
  };
  struct reply {
    char* bytes = nullptr;  // the prefix, and behind it the room for one receive
    std::uint32_t size = 0;
    std::uint32_t sent = 0;
    int next = none;
  };

  static std::uint64_t tag(request what, int descriptor);
  void make_ring();
  void make_buffers(unsigned count);
  void give_back(int buffer);
  io_uring_sqe& next_submission(request what, int descriptor);
  std::uint8_t by_register(int fd) const { return fd < registered_ ? IOSQE_FIXED_FILE : 0; }
  void wait();
  void look_until(clock::time_point until);

  void completed(const io_uring_cqe& what);
  void accept();
  void accepted(int result, bool more);
  void watch_end(int fd);
  void end_came(int fd);
  void receive(int fd);
  void received(int fd, int result, std::uint32_t flags);
  void stop_receiving(int fd);
  void send_first(int fd);
  void sent(int fd, int result);
  void drop_replies(connection& peer);
  void close_if_done(int fd);
  void start_draining();
  void watch_alarm();
  void on_alarm(bool more);
  void look_for_idle(clock::time_point now);
  void hang_up_all();
  void set_alarm();

  const server_options& options_;
  const std::size_t most_connections_;
  int listener_;  // -1 once draining
  const int drain_signal_;
  floor_alarm alarm_;
  io_uring ring_{};
  int registered_ = 0;           // the ring keeps connections below this, so that none is looked up
  const std::size_t slot_;       // bytes of a reply at most
  const unsigned most_replies_;  // a power of two
  io_uring_buf_ring* buffers_ = nullptr;
  int returned_ = 0;  // to the ring since the kernel was told
  std::vector<std::unique_ptr<char[]>> slabs_;
  std::vector<reply> replies_;     // by buffer
  std::vector<int> starved_;       // connections that found no buffer
  std::vector<connection> peers_;  // by descriptor
  std::size_t connections_ = 0;
  bool accepting_ = false;
  clock::time_point accept_again_ = never;  // after descriptors ran out
  clock::time_point next_look_ = never;     // for idle connections
  clock::time_point drained_by_ = never;
};

}  // namespace bench
