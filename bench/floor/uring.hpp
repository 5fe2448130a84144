// uring: floor_uring, the bare loop on io_uring, as fast as its authors could make it.
//
//     floor_uring loop{options, listener, drain_signal, nullptr};   // io_uring forbidden: exits
//     with 1 loop.run();                                          // returns when drained
//
// A turn is one io_uring_enter. It submits everything that the last turn prepared, waits, and
// handles the completions. Accept and receive are multishot: one submission serves many
// completions. The kernel takes receive buffers from a provided-buffer ring. Each buffer follows a
// prefix that is already in place, the reply is sent from there, and the buffer returns to the
// ring. A send whose socket has room leaves no completion, which would end the wait. So a message
// costs one submission, one completion and a share of one system call, and this program copies no
// bytes.
//
// The kernel refers to a connection until its last completion has come. So a connection with
// outstanding requests is never closed: shutdown() ends the requests, then close() follows.
//
// A kernel without the commit "io_uring/poll: fix multishot recv missing EOF on wakeup race" may
// deliver the last bytes to a receive and never the end of stream that came with them. So each
// connection also polls once for POLLRDHUP, and then submits its receive again.
#pragma once

#include <bench/contract/contract.hpp>
#include <bench/floor/alarm.hpp>
#include <bench/floor/gather.hpp>
#include <bench/floor/ring.hpp>
#include <bench/floor/service.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace bench {

class floor_uring {
 public:
  // `service` outlives the loop; nullptr: it echoes.
  floor_uring(const server_options& options, int listener, int drain_signal,
              floor_service* service);
  floor_uring(const floor_uring&) = delete;
  floor_uring& operator=(const floor_uring&) = delete;

  void run();

 private:
  using clock = floor_alarm::clock;
  static constexpr auto never = floor_alarm::never;
  static constexpr int none = -1;
  // Queued replies at which a connection stops receiving.
  static constexpr unsigned most_unsent = 2;

  enum class request : std::uint8_t { accept, receive, end, send, cancel, alarm, drain };
  enum class receiving : std::uint8_t { no, yes, cancelled };

  struct connection {
    bool open = false;
    bool ended = false;    // nothing more will be received
    bool closes = false;   // after the replies so far
    bool watched = false;  // the poll for POLLRDHUP has not completed
    bool moved = false;    // a byte was received or sent since look_for_idle() last ran
    receiving state = receiving::no;
    unsigned unsent = 0;              // number of queued replies: a list from `first` to `last`
    std::uint32_t tried = 0;          // number of the try that sends the first reply; 0: none
    std::uint8_t round = 0;           // of gather_, in which the last message came
    int first = none, last = none;    // indices of buffers
    clock::time_point still_since{};  // since when nothing moved; valid while moved is false
  };
  struct reply {
    char* bytes = nullptr;  // the prefix, followed by room for one receive
    std::uint32_t size = 0;
    std::uint32_t sent = 0;
    int next = none;
  };
  // A send that leaves no completion when it succeeds.
  struct attempt {
    int fd;
    std::uint32_t number;
  };

  static std::uint64_t tag(request what, int descriptor);
  void make_buffers(unsigned count);
  void give_back(int buffer);
  io_uring_sqe& next_submission(request what, int descriptor);
  void wait();
  void sleep(unsigned completions);
  void conclude_tries(std::size_t count);
  void count_message(connection& from);
  void look_until(clock::time_point until);

  void completed(const io_uring_cqe& what);
  void accept();
  void accepted(int result, bool more);
  void watch_end(int fd);
  void end_came(int fd);
  void receive(int fd);
  void received(int fd, int result, std::uint32_t flags);
  std::uint32_t compose_reply(int fd, char* bytes, std::size_t received);
  void stop_receiving(int fd);
  void try_first(int fd);
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
  floor_service* const service_;
  const std::size_t most_connections_;
  int listener_;  // -1 once draining
  const int drain_signal_;
  floor_alarm alarm_;
  const std::size_t slot_;       // bytes of a reply at most, with its prefix
  const unsigned most_replies_;  // a power of two
  floor_ring ring_;
  floor_gather gather_;
  std::vector<std::unique_ptr<char[]>> slabs_;
  std::vector<reply> replies_;  // index: buffer
  std::vector<attempt> tries_;
  std::uint32_t last_try_ = 0;
  bool hurry_ = false;             // something waits for the end of a try
  unsigned messages_ = 0;          // that the last harvest() brought
  std::vector<int> starved_;       // connections whose receive ended because the ring had no buffer
  std::vector<connection> peers_;  // index: descriptor
  std::size_t connections_ = 0;
  bool accepting_ = false;
  clock::time_point accept_again_ = never;  // when to accept again after descriptors ran out
  clock::time_point next_look_ = never;     // when to look for idle connections
  clock::time_point drained_by_ = never;
};

}  // namespace bench
