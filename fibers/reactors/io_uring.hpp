// io_uring_reactor: the kernel does the operation.
//
// Receiving is multishot: asked for once, it brings what comes until it is cancelled. (Accepting is
// not: who asks for one connection must not get a descriptor for each that waits.) Received bytes
// lie in buffers that the kernel takes from a ring of ours; a receive operation copies them out. A
// send is copied into a buffer of ours and is done; the kernel learns of it, and of everything else
// the ready fibers want, in the one system call that also waits. So an echoed message costs its
// share of one io_uring_enter and no other system call, and the kernel never holds memory of
// whoever waits: an operation may be taken back at any time.
//
// What follows from that: an error of a send is reported by the next one on its descriptor, as with
// bytes that the kernel buffers; and what was sent leaves when its thread polls next, so a fiber
// that keeps the thread busy keeps its own last words. Bytes that are still here when the last
// fiber has ended, or the reactor ends, are waited for until no send (of 16 KiB at most) has gone
// for a second; after a close they have 30 seconds, and none where a limit has passed or a send was
// still waiting for room.
//
// A connection whose fiber does not read stops receiving after a few buffers, so it cannot drain
// the ring for the others. Where the ring is empty all the same, it grows; and where so many fibers
// do not read that half of the largest ring waits for them, what comes for them is copied out of
// it.
//
// The end of a stream is polled for as well, once per connection. A kernel without "io_uring/
// poll: fix multishot recv missing EOF on wakeup race" may give a receive the last bytes and never
// the end that came with them; asked for again, it meets the end. (IORING_RECVSEND_POLL_FIRST has
// the same effect on every kernel, where the end came before the receive was asked for.)
#pragma once

#include <fibers/reactor.hpp>

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace fibers {

class io_uring_reactor final : public reactor {
 public:
  struct sizes {
    unsigned queue = 256;           // submissions that one system call takes
    unsigned buffers = 64;          // to begin with; a power of two
    unsigned most_buffers = 32768;  // likewise, and the most there can be
  };

  // Throws std::system_error, with the reason, where io_uring is forbidden or older than Linux 6.1.
  io_uring_reactor() : io_uring_reactor{sizes{}} {}
  explicit io_uring_reactor(const sizes& wanted);
  ~io_uring_reactor() override;

  io backend() const noexcept override { return io::io_uring; }
  int adopt(int descriptor) noexcept override;
  void forget(int descriptor) noexcept override;
  bool submit(operation& started) override;
  bool cancel(operation& cancelled) noexcept override;
  void give_up_unsent(int descriptor) noexcept override;
  bool drain() noexcept override;
  void cancel_all(int descriptor) noexcept override;
  void poll(time_point deadline, operation_list& finished) override;
  void interrupt() noexcept override;

 private:
  static constexpr std::size_t buffer_size = 2048;
  static constexpr std::size_t send_size = 16 * 1024;
  static constexpr int most_unread = 2;  // buffers, or connections, that wait for their fiber
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
  enum class multishot : std::uint8_t { off, armed, cancelling };
  enum class watch : std::uint8_t { none, under_way, over };  // for the end of the stream

  // What is known of a descriptor: a cache line, and a power of two, for it is looked up five times
  // a message.
  struct alignas(64) entry {
    operation* reader = nullptr;
    operation* writer = nullptr;
    std::unique_ptr<std::deque<int>> accepted;  // of a listener: connections nobody asked for yet
    std::uint32_t generation = 0;  // of the number; completions of an older one are stale
    std::uint32_t turns[2] = {};   // of requests that complete once; the second of those that read
    std::uint32_t epoch = 0;       // in which something was last asked of it
    int first_unread = none;       // received and not read: buffers, linked by unread_
    int last_unread = none;
    int sending = none;  // the send buffer that the kernel has
    std::uint16_t unread = 0;
    std::uint16_t offset = 0;  // into the first of them
    std::int16_t receive_error = 0;
    std::int16_t send_error = 0;
    multishot incoming = multishot::off;
    bool ended = false;
    watch end = watch::none;
    bool given_up = false;  // who had more to send did not wait until the kernel had the rest
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
    time_point limit = when_something_happens;  // after the close: to be given up then
  };
  // A buffer that is not of the ring: for what nobody has read, where that is too much for the
  // ring.
  struct spare {
    std::unique_ptr<std::byte[]> bytes;
    received what;
  };

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
  std::size_t sends_under_way() const noexcept { return outgoing_.size() - free_outgoing_.size(); }
  void leave_unsent(entry& of) noexcept;
  time_point give_up_overdue() noexcept;
  void settle() noexcept;
  void cancel_request(std::uint64_t which) noexcept;
  void forget_once(const operation& asked) noexcept;
  void stop(const operation& asked) noexcept;

  bool start_reading(operation& started);
  bool start_sending(operation& started);
  bool start_once(operation& started);
  void watch_end(int descriptor) noexcept;
  void listen_in(int descriptor, request kind) noexcept;
  void stop_listening_in(int descriptor, request kind) noexcept;
  void send_rest(int descriptor, int slot) noexcept;

  bool arm(time_point deadline) noexcept;
  unsigned harvest(operation_list& finished);
  void completed(const io_uring_cqe& what, operation_list& finished);
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

  void feed_the_starved();
  void provide_buffers(unsigned count);
  void provide_more_buffers() noexcept;
  void give_back(int buffer) noexcept;
  int copy_aside(int buffer, std::uint32_t size);
  void release(int buffer) noexcept;
  bool in_ring(int buffer) const noexcept { return buffer < static_cast<int>(most_buffers_); }
  std::byte* bytes_of(int buffer) noexcept;
  received& record_of(int buffer) noexcept;
  int make_send_buffer();
  int take_send_buffer();

  io_uring ring_{};
  io_uring_buf_ring* buffer_ring_ = nullptr;
  std::vector<std::unique_ptr<std::byte[]>> slabs_;  // of receive buffers
  std::vector<std::byte*> buffers_;
  std::vector<received> unread_;  // by buffer
  std::vector<spare> spares_;     // by number of the buffer, from most_buffers_ on
  std::vector<int> free_spares_;
  unsigned kept_ = 0;  // buffers of the ring that nobody has read
  bool grew_ = false;  // since the last poll
  unsigned most_buffers_;
  int returned_ = 0;  // buffers added to the ring since the kernel was told
  std::vector<outgoing> outgoing_;
  std::vector<int> free_outgoing_;
  std::vector<entry> entries_;  // by descriptor; an accept may lengthen it
  struct starving {
    int descriptor;
    std::uint32_t generation;
  };
  std::vector<starving> starved_;                   // they receive again once there are buffers
  unsigned closed_unsent_ = 0;                      // sends whose descriptor was closed
  time_point next_limit_ = when_something_happens;  // of one of them
  operation_list forgotten_;
  std::uint32_t epoch_ = 1;  // counts submissions to the kernel
  int interrupt_;
  bool interrupted_ = false;  // since somebody last cared

  // One timeout request, which stays armed from one poll to the next.
  time_point armed_ = when_something_happens;
  time_point rang_ = at_once;  // the deadline that it completed for last
  __kernel_timespec limit_{};  // read by the kernel when it is submitted
};

}  // namespace fibers
