#include <bench/floor/ring.hpp>

#include <fmt/core.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace bench {
namespace {

constexpr unsigned submissions = 1024;
constexpr rlim_t most_files = 1 << 17;

[[noreturn]] void refuse(const server_options& options, int error) {
  const char* reason = error == EPERM    ? " (sysctl kernel.io_uring_disabled, or seccomp)"
                       : error == EINVAL ? " (it needs Linux 6.1)"
                                         : "";
  cannot_go_on(options, fmt::format("--io io_uring: {}{}", std::strerror(error), reason));
}

rlim_t descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace

// SINGLE_ISSUER and DEFER_TASKRUN: only this thread submits, and the kernel runs its completion
// work only when this thread asks for completions.
floor_ring::floor_ring(const server_options& options, unsigned most_buffers)
    : most_buffers_{most_buffers} {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE;
  params.cq_entries = 8 * submissions;
  if (const int error = io_uring_queue_init_params(submissions, &ring_, &params)) {
    refuse(options, -error);
  }
  for (unsigned i = 0; ring_.sq.array != nullptr && i < submissions; ++i) ring_.sq.array[i] = i;
  // Both registrations save the kernel a look-up of the descriptor per call. Failure is harmless.
  io_uring_register_ring_fd(&ring_);
  const auto files = static_cast<unsigned>(std::min(descriptor_limit(), most_files));
  if (io_uring_register_files_sparse(&ring_, files) == 0) files_ = static_cast<int>(files);
  void* memory = mmap(nullptr, most_buffers_ * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) refuse(options, errno);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  registration.ring_entries = most_buffers_;
  registration.bgid = buffer_group;
  if (const int error = io_uring_register_buf_ring(&ring_, &registration, 0)) {
    refuse(options, -error);
  }
  buffers_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_ring_init(buffers_);
}

floor_ring::~floor_ring() {
  io_uring_queue_exit(&ring_);
  munmap(buffers_, most_buffers_ * sizeof(io_uring_buf));
}

io_uring_sqe& floor_ring::next() {
  auto* submission = io_uring_get_sqe(&ring_);
  while (submission == nullptr) {
    io_uring_submit(&ring_);
    submission = io_uring_get_sqe(&ring_);
  }
  return *submission;
}

void floor_ring::learn(int fd) {
  if (fd < files_) io_uring_register_files_update(&ring_, static_cast<unsigned>(fd), &fd, 1);
}

void floor_ring::forget(int fd) {
  const int none = -1;
  if (fd < files_) io_uring_register_files_update(&ring_, static_cast<unsigned>(fd), &none, 1);
}

void floor_ring::prepare_to_lend(char* bytes, std::size_t size, int number) {
  io_uring_buf_ring_add(buffers_, bytes, static_cast<unsigned>(size),
                        static_cast<unsigned short>(number), io_uring_buf_ring_mask(most_buffers_),
                        prepared_++);
}

bool floor_ring::lend() {
  const int count = std::exchange(prepared_, 0);
  if (count > 0) io_uring_buf_ring_advance(buffers_, count);
  return count > 0;
}

bool floor_ring::can_gather() const {
  constexpr unsigned waits_in_two_steps = 1U << 15;  // IORING_FEAT_MIN_TIMEOUT, Linux 6.12
  return (ring_.features & waits_in_two_steps) != 0;
}

// As io_uring_submit_and_wait_min_timeout() of liburing 2.8. Without a limit the kernel would
// return at the end of the window, with or without a completion.
void floor_ring::gather(unsigned completions, std::chrono::microseconds window) {
  const __kernel_timespec limit{3600, 0};
  const struct {
    std::uint64_t signals;
    std::uint32_t size_of_signals, window;
    std::uint64_t limit;
  } how{0, _NSIG / 8, static_cast<std::uint32_t>(window.count()),
        reinterpret_cast<std::uintptr_t>(&limit)};
  auto& queue = ring_.sq;
  queue.sqe_head = queue.sqe_tail;
  std::atomic_ref{*queue.ktail}.store(queue.sqe_tail, std::memory_order_release);
  syscall(SYS_io_uring_enter, ring_.ring_fd, io_uring_sq_ready(&ring_), completions,
          IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &how, sizeof how);
}

bool floor_ring::overflowed() const {
  return (std::atomic_ref{*ring_.sq.kflags}.load(std::memory_order_relaxed) &
          IORING_SQ_CQ_OVERFLOW) != 0;
}

}  // namespace bench
