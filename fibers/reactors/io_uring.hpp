// io_uring: io_uring_reactor, which submits operations to the kernel and collects completions.
//
// Receives are multishot: one request delivers data until it is cancelled. Accepts are one-shot. A
// multishot accept would open a descriptor for every pending connection, although the fiber asked
// for one. The kernel takes receive buffers from a provided-buffer ring, and a receive operation
// copies the bytes out. A send operation copies its bytes into a buffer of the reactor and finishes
// at once. The kernel gets the send, and every other request of the ready fibers, in the system
// call that also waits. Where the socket has room, a send leaves no completion, which would end
// that wait. So one echoed message costs its share of one io_uring_enter and no other system call.
//
// Large messages go straight, because pieces of 2 KiB and copies cost more than system calls: see
// goes_straight(). A poll tells when there are bytes or room, and a plain recv() or send() moves
// them to or from the operation's own memory.
//
// Either way the kernel never holds memory of an operation, so an operation can be cancelled at any
// time.
//
// Under full load a sleep goes on until several messages are there: see gather.hpp.
//
// That a send is copied has two consequences. The next send on a descriptor reports the error of an
// earlier one, as it does for bytes in the kernel's socket buffer. Sent bytes leave when the thread
// polls next, so a fiber that keeps the thread busy delays its own output.
//
// drain() and the destructor wait for unsent bytes until no send (of 16 KiB at most) has completed
// for one second. After a close, unsent bytes have 30 seconds. They are dropped at once if the
// socket's time limit has passed or another send was still waiting for room.
//
// The receive of a connection is cancelled when a few buffers wait for its fiber, so a connection
// that is not read cannot drain the ring for the others. The ring grows when it runs empty all the
// same. When unread data fills half of the largest ring, further data is copied out of the ring
// into buffers of its own. The ring keeps its memory, 64 MiB at most. The memory of send buffers
// goes back as connections are closed, until 64 of them are left.
//
// A multishot receive takes up to 64 KiB from a peer before its fiber has read any. Beside
// thousands of peers that write without end, the bytes of all others would wait behind these. So
// while much is unread, only connections that send little have a multishot receive. The others
// receive one buffer at a time, and those that fill it take turns: some begin in each poll.
//
// The reactor also polls for the end of the stream, once per connection. Kernels without the fix
// "io_uring/poll: fix multishot recv missing EOF on wakeup race" may deliver the last bytes to a
// multishot receive and never report the end that came with them. A new receive reports the end.
// (The reactor does not set IORING_RECVSEND_POLL_FIRST. With it every kernel misses an end that
// came before the receive was submitted.)
#pragma once

#include <fibers/reactor.hpp>
#include <fibers/reactors/gather_control.hpp>

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace fibers {

class io_uring_reactor final : public reactor {
  static constexpr std::size_t buffer_size = 2048;

 public:
  struct settings {
    unsigned queue = 256;   // submissions per system call
    unsigned buffers = 64;  // at the start; a power of two
    // The ring's largest size; a power of two. The kernel allows no more.
    unsigned most_buffers = 32768;
    fibers::gather gather = fibers::gather::automatic;
    unsigned least_gathered = 1;  // messages for which each sleep waits, also where it never pays
    bool quiet_sends = true;      // see try_to_send()
    // Operations with so much memory move their bytes straight: see goes_straight(). 0: all do.
    std::size_t receive_straight_from = buffer_size + 1;
    std::size_t send_straight_from = std::size_t{8} * 1024;
  };
  // Tests set it, and all rings that make_reactor() makes have these settings.
  inline static std::optional<settings> forced;

  // Throws boost::system::system_error, with the reason, if io_uring is forbidden or older than
  // Linux 6.1.
  io_uring_reactor() : io_uring_reactor{settings{}} {}
  explicit io_uring_reactor(const settings& wanted);
  ~io_uring_reactor() override;

  io backend() const noexcept override { return io::io_uring; }
  int adopt(int descriptor) noexcept override;
  void forget(int descriptor) noexcept override;
  int hand_over(int descriptor) noexcept override;
  bool submit(operation& started) override;
  void no_more_sends(int descriptor) noexcept override;
  bool shut_down_when_sent(int descriptor) noexcept override;
  int why_ended(int descriptor) noexcept override;
  bool may_receive(int descriptor) const noexcept override;
  std::size_t unread(int descriptor) const noexcept override;
  bool cancel(operation& cancelled) noexcept override;
  void give_up_unsent(int descriptor) noexcept override;
  bool drain() noexcept override;
  void cancel_all(int descriptor) noexcept override;
  void poll(time_point deadline, operation_list& finished) override;
  void abandon(operation_list& finished) noexcept override;
  void interrupt() noexcept override;

 private:
  static constexpr std::size_t send_size = std::size_t{16} * 1024;
  static constexpr std::size_t most_free_send_buffers = 64;
  // Receiving stops when so many buffers, or connections, wait unread.
  static constexpr int most_unread = 2;
  // While so many buffers hold unread data, a connection gets one buffer at a time, unless as many
  // of its receives in a row as `calm` have left room in theirs. With 2 MiB, 256 connections with
  // messages of 16 KiB are no crowd. For peers that fill theirs the ring grows to most_for_crowd,
  // and further only while unread data holds all of it.
  static constexpr unsigned crowd = 1024;
  static constexpr unsigned most_for_crowd = 2048;
  static constexpr unsigned calm = 8;
  // After so many straight receives in a row that one buffer would have held, it no longer streams.
  static constexpr unsigned few_bytes = 4;
  // So many receives of those that take turns begin in each poll.
  static constexpr unsigned most_begun = 32;
  static constexpr int none = -1;

  enum class request : std::uint8_t {
    receive,
    end,
    accept,
    send,
    once,
    cancel,
    interrupt,
    deadline
  };
  // Queued: begin_waiting() will begin it.
  enum class incoming : std::uint8_t { off, queued, armed, cancelling };
  // The state of the poll for the end of the stream.
  enum class watch : std::uint8_t { none, under_way, over };

  // What the reactor knows of a descriptor. It is looked up five times per message, so it fills one
  // cache line and its size is a power of two.
  struct alignas(64) entry {
    operation* reader = nullptr;
    operation* writer = nullptr;
    std::unique_ptr<std::deque<int>> accepted;  // of a listener: accepted, not yet asked for
    // Counts the owners of the descriptor number. Completions for an earlier owner are stale.
    std::uint32_t generation = 0;
    std::uint32_t turns[2] = {};  // numbers of one-shot requests: [0] writing, [1] reading
    std::uint32_t epoch = 0;      // epoch_ when the last request naming it was queued
    int first_unread = none;  // received, not yet read: a list of buffers, linked by received::next
    int last_unread = none;
    int sending = none;  // the send buffer that the kernel has
    std::uint16_t unread = 0;
    std::uint16_t offset = 0;  // bytes of the first one that were read already
    std::int16_t receive_error = 0;
    std::int16_t send_error = 0;  // stays: no send succeeds after one that has failed
    incoming receiving = incoming::off;
    std::uint8_t shorts : 4 = 1;  // receives in a row that left room; 0: it fills its buffers
    bool ended : 1 = false;
    bool send_error_told : 1 = false;  // to a sender: EPIPE is what the next ones get
    bool broken_told : 1 = false;      // send_error was told to a reader
    bool shut_when_sent : 1 = false;   // shut it down for sending once nothing is in flight
    watch end : 2 = watch::none;
    bool given_up : 1 = false;  // a sender left before all was sent: cancel the rest on close
    bool streams : 1 = false;   // a message has filled a buffer: see goes_straight()
    bool more : 1 = false;      // the last straight receive may have left bytes in the socket
    bool full : 1 = false;      // the last straight send found too little room
    std::uint8_t round = 0;     // of gather_, in which the last bytes came; 0 also before any
  };
  static_assert(sizeof(std::unique_ptr<int>) != 8 || sizeof(entry) == 64);
  struct received {
    std::uint32_t size;
    int next;
  };
  struct outgoing {
    std::unique_ptr<std::byte[]> bytes;
    std::uint32_t size = 0;
    std::uint32_t sent = 0;
    std::uint32_t generation = 0;
    int descriptor = none;
    std::uint32_t number = 0;  // of the submission that tries to send it
    bool tried = false;        // try_to_send() began it, and nothing is known of it yet
    time_point limit = when_something_happens;  // set on close: when to cancel the send
  };
  // A send that says nothing when it succeeds.
  struct attempt {
    int slot;
    std::uint32_t number;  // of its submission
  };
  // A buffer outside the ring, for unread data that would take too much of the ring.
  struct spare {
    std::unique_ptr<std::byte[]> bytes;
    received what;
  };

  enum class delegated { ring_only };
  io_uring_reactor(const settings& wanted, delegated);

  static std::uint64_t tag(request kind, std::uint32_t detail, int descriptor) noexcept;
  static std::uint32_t turn_of(const entry& about, bool reads) noexcept {
    return about.turns[reads ? 1 : 0] << 1 | (reads ? 1 : 0);
  }
  std::uint64_t once_tag(const operation& asked) noexcept {
    const int descriptor = asked.descriptor();
    return tag(request::once, turn_of(known(descriptor), asked.reads()), descriptor);
  }
  entry& at(int descriptor);
  entry& known(int descriptor) noexcept { return entries_[static_cast<std::size_t>(descriptor)]; }

  io_uring_sqe& next_submission() noexcept;
  io_uring_sqe& ask(int descriptor) noexcept;
  int flush() noexcept;
  void note_submitted() noexcept;
  bool taken(std::uint32_t number) const noexcept;
  bool overflowed() const noexcept;
  void make_tries_answer() noexcept;
  std::size_t sends_under_way() const noexcept {
    return outgoing_.size() - free_outgoing_.size() - bare_outgoing_.size();
  }
  enum class arrivals : std::uint8_t { none, some, unknown };
  arrivals stop_incoming(int descriptor) noexcept;
  arrivals uncollected(int descriptor) noexcept;
  void leave_unsent(entry& of) noexcept;
  time_point give_up_overdue() noexcept;
  void settle() noexcept;
  void cancel_request(std::uint64_t which) noexcept;
  bool has_own_request(const operation& pending) noexcept;
  void forget_once(const operation& asked) noexcept;
  void stop(const operation& asked) noexcept;

  bool start_reading(operation& started);
  bool goes_straight(const operation& reading, const entry& about) const noexcept;
  bool receive_straight(operation& reading, entry& from) noexcept;
  bool start_sending(operation& started);
  bool send_straight(operation& writing, entry& to) noexcept;
  void send_copy(operation& started, entry& to);
  void poll_for(const operation& waiting) noexcept;
  void poll_later(const operation& waiting) noexcept;
  void refuse_sending(operation& started, entry& to) noexcept;
  bool start_once(operation& started);
  void watch_end(int descriptor) noexcept;
  void listen_in(int descriptor, request kind) noexcept;
  void begin_receive(int descriptor) noexcept;
  void stop_listening_in(int descriptor, request kind) noexcept;
  void try_to_send(int descriptor, int slot) noexcept;
  void send_rest(int descriptor, int slot) noexcept;

  int sleep(unsigned messages) noexcept;
  bool arm(time_point deadline) noexcept;
  unsigned harvest(operation_list& finished);
  void harvest_overflow(operation_list& finished);
  void conclude_tries(operation_list& finished);
  void completed(const io_uring_cqe& what, operation_list& finished);
  void count_message(entry& from) noexcept;
  static void note_size(entry& about, int result) noexcept;
  void incoming_completed(request kind, int descriptor, const io_uring_cqe& what,
                          operation_list& finished);
  void send_completed(int slot, int descriptor, int result, operation_list& finished);
  void once_completed(std::uint32_t turn, int descriptor, int result, operation_list& finished);
  void end_came(int descriptor, int events) noexcept;
  void keep(int descriptor, int buffer, std::uint32_t size) noexcept;
  void accepted(int descriptor, int connection) noexcept;
  bool read_now(operation& reading) noexcept;
  void copy_out(entry& from, operation& reading) noexcept;
  bool copy_straight(entry& from, const io_uring_cqe& what) noexcept;

  unsigned free_buffers() const noexcept { return static_cast<unsigned>(buffers_.size()) - kept_; }
  bool crowded() const noexcept { return kept_ >= crowd || !waiting_.empty(); }
  bool wait_for_turn(int descriptor) noexcept;
  void begin_waiting() noexcept;
  void provide_buffers(unsigned count);
  void provide_more_buffers() noexcept;
  void starve(int descriptor) noexcept;
  void give_back(int buffer) noexcept;
  int copy_aside(int buffer, std::uint32_t size);
  void release(int buffer) noexcept;
  bool in_ring(int buffer) const noexcept { return buffer < static_cast<int>(most_buffers_); }
  std::byte* bytes_of(int buffer) noexcept;
  received& record_of(int buffer) noexcept;
  const received& record_of(int buffer) const noexcept {
    return const_cast<io_uring_reactor*>(this)->record_of(buffer);
  }
  int make_send_buffer();
  void drop_a_send_buffer() noexcept;
  int take_send_buffer();

  io_uring ring_{};
  io_uring_buf_ring* buffer_ring_ = nullptr;
  std::vector<std::unique_ptr<std::byte[]>> slabs_;  // memory of the receive buffers
  std::vector<std::byte*> buffers_;                  // by buffer number: its memory
  std::vector<received> unread_;                     // by buffer number
  std::vector<spare> spares_;                        // by buffer number minus most_buffers_
  std::vector<int> free_spares_;
  unsigned kept_ = 0;  // buffers of the ring that hold unread data
  bool grew_ = false;  // the ring got more buffers since the last poll
  unsigned most_buffers_;
  int returned_ = 0;  // buffers added to the ring that the kernel does not see yet
  std::vector<outgoing> outgoing_;
  std::vector<int> free_outgoing_;  // their memory stays
  std::vector<int> bare_outgoing_;  // free, and without memory
  std::vector<attempt> tries_;      // in the order of their submissions
  bool hurry_ = false;              // something waits for the end of one of them
  std::vector<entry> entries_;      // by descriptor; an accept may reallocate it
  struct queued {
    int descriptor;
    std::uint32_t generation;
  };
  std::deque<queued> waiting_;  // for their turn to receive, or for a buffer
  unsigned closed_unsent_ = 0;  // sends whose descriptor is closed
  // The earliest outgoing::limit, or an earlier time.
  time_point next_limit_ = when_something_happens;
  operation_list forgotten_;  // poll() gives them back with ECANCELED
  std::uint32_t epoch_ = 1;   // counts the times that the kernel took the whole submission queue
  int interrupt_;             // an eventfd
  bool interrupted_ = false;  // since drain() began
  bool abandoned_ = false;    // in a child process, which has no memory of the ring

  gather_control gather_;
  unsigned least_gathered_;
  unsigned came_ = 0;  // messages of the last harvest
  bool quiet_sends_;
  std::size_t receive_straight_from_;
  std::size_t send_straight_from_;

  // The reactor has one timeout request, which stays armed from one poll to the next.
  time_point armed_ = when_something_happens;
  time_point rang_ = at_once;  // the deadline that expired last
  __kernel_timespec limit_{};  // the kernel reads it during the submission
};

}  // namespace fibers
