#include <fibers/reactors/submit_and_gather.hpp>

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace {

// IORING_FEAT_MIN_TIMEOUT, which older headers do not know.
constexpr unsigned waits_in_two_steps = 1U << 15;

// Without a limit the kernel returns when the window has passed, even with nothing.
constexpr __kernel_timespec an_hour{3600, 0};

// struct io_uring_getevents_arg of Linux 6.12.
struct wait_arguments {
  std::uint64_t signals;
  std::uint32_t size_of_signals;
  std::uint32_t window_us;
  std::uint64_t limit;
};

}  // namespace

// The array says which submission stands where. liburing writes it for each submission, or has
// none.
bool fibers_can_gather(io_uring* ring) {
  auto* const array = ring->sq.array;
  for (unsigned i = 0; array != nullptr && i < ring->sq.ring_entries; ++i) array[i] = i;
  return (ring->features & waits_in_two_steps) != 0;
}

int fibers_submit_and_gather(io_uring* ring, unsigned wanted, std::chrono::microseconds window) {
  auto& queue = ring->sq;
  queue.sqe_head = queue.sqe_tail;
  std::atomic_ref{*queue.ktail}.store(queue.sqe_tail, std::memory_order_release);
  const wait_arguments how{.signals = 0,
                           .size_of_signals = _NSIG / 8,
                           .window_us = static_cast<std::uint32_t>(window.count()),
                           .limit = reinterpret_cast<std::uintptr_t>(&an_hour)};
  // A ring that is registered has a number of its own beside its descriptor. If the two are equal
  // by chance, the descriptor does it.
  const bool registered = ring->enter_ring_fd != ring->ring_fd;
  const auto taken =
      ::syscall(SYS_io_uring_enter, ring->enter_ring_fd, io_uring_sq_ready(ring), wanted,
                IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG |
                    (registered ? IORING_ENTER_REGISTERED_RING : 0),
                &how, sizeof how);
  return taken < 0 ? -errno : static_cast<int>(taken);
}
