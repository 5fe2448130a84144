// ring: floor_ring, the queues of io_uring, the receive buffers that the kernel takes, and the
// files that it knows by number.
//
//     floor_ring ring{options, 1024};
//     io_uring_prep_recv_multishot(&ring.next(), ...);
//     ring.sleep(1);                                    // submits that, and waits for a completion
//     ring.harvest([](const io_uring_cqe& what) { ... });
#pragma once

#include <bench/contract/contract.hpp>

#include <liburing.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bench {

class floor_ring {
 public:
  static constexpr int buffer_group = 0;

  // `most_buffers`: a power of two. io_uring forbidden: exits with 1.
  floor_ring(const server_options& options, unsigned most_buffers);
  ~floor_ring();
  floor_ring(const floor_ring&) = delete;
  floor_ring& operator=(const floor_ring&) = delete;

  // A free entry of the submission queue. If the queue is full, it is submitted first.
  io_uring_sqe& next();

  // The file table spares the kernel a look-up per request. flag_of() is IOSQE_FIXED_FILE for a
  // descriptor that is in it.
  void learn(int fd);
  void forget(int fd);
  std::uint8_t flag_of(int fd) const { return fd < files_ ? IOSQE_FIXED_FILE : 0; }

  // Lends memory to the kernel. It may use it from lend() on.
  void prepare_to_lend(char* bytes, std::size_t size, int number);
  bool lend();  // false: nothing was prepared

  // Submits and returns.
  void submit() { io_uring_submit_and_get_events(&ring_); }
  // Submits and sleeps until there is a completion.
  void sleep() { io_uring_submit_and_wait(&ring_, 1); }
  // Submits and sleeps until so many are there or the window has passed, and then until there is
  // one. Precondition: can_gather().
  void gather(unsigned completions, std::chrono::microseconds window);
  bool can_gather() const;

  bool has_completions() const { return io_uring_cq_ready(&ring_) > 0; }
  bool has_taken_all() const { return io_uring_sq_ready(&ring_) == 0; }

  // Calls `completed` for all completions, also for those that the queue had no room for.
  template <class Completed>
  void harvest(Completed completed) {
    harvest_queue(completed);
    while (overflowed()) {
      io_uring_get_events(&ring_);
      harvest_queue(completed);
    }
  }

 private:
  template <class Completed>
  void harvest_queue(Completed& completed) {
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      completed(*completion);
      ++count;
    }
    io_uring_cq_advance(&ring_, count);
  }
  bool overflowed() const;

  io_uring ring_{};
  int files_ = 0;  // descriptors below this are in the table
  unsigned most_buffers_;
  io_uring_buf_ring* buffers_ = nullptr;
  int prepared_ = 0;
};

}  // namespace bench
