#include <tests/fibers/waits.hpp>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#if __has_include(<liburing.h>)
#include <liburing.h>
#endif

namespace {

using namespace std::chrono_literals;

thread_local constinit waits* newest = nullptr;
thread_local constinit auto armed = waits::time_point::max();

template <class Time>
waits::time_point moment(const Time& since_boot) {
  return waits::time_point{std::chrono::seconds{since_boot.tv_sec} +
                           std::chrono::nanoseconds{since_boot.tv_nsec}};
}

// The state letter in /proc, such as 'S' for an interruptible sleep; '?' if it cannot be read.
char state_of(pid_t thread) {
  std::ifstream stat{"/proc/self/task/" + std::to_string(thread) + "/stat"};
  std::string text;
  std::getline(stat, text);
  const auto name_end = text.rfind(") ");
  return name_end == text.npos ? '?' : text[name_end + 2];
}

template <class Call>
int watched(bool sleeps, Call call) {
  waits::begin(sleeps);
  const int result = call();
  const int error = errno;
  waits::end(result);
  errno = error;
  return result;
}

}  // namespace

std::atomic<waits::duration> waits::forgiven_{0ns};

waits::waits() : thread_{::gettid()}, next_{std::exchange(newest, this)} {}

waits::~waits() {
  auto** at = &newest;
  while (*at != this) at = &(*at)->next_;
  *at = next_;
}

void waits::arm(time_point deadline) {
  armed = deadline;
}

void waits::arm_for(duration from_now) {
  arm(std::chrono::steady_clock::now() + from_now);
  forgiven_ = 5ms;
}

void waits::begin(bool sleeps) {
  for (auto* each = newest; each != nullptr; each = each->next_) each->began(sleeps);
}

void waits::end(int events) {
  for (auto* each = newest; each != nullptr; each = each->next_) each->ended(events);
}

void waits::began(bool sleeps) {
  ++count_;
  if (sleeps) {
    ++sleeps_;
    latest_ = std::max(latest_.load(), armed);
  }
  inside_ = true;
}

void waits::ended(int events) {
  inside_ = false;
  events_ = events;
}

bool waits::asleep() const {
  return inside_ && state_of(thread_) == 'S';
}

bool waits::until_asleep() const {
  const auto patience = std::chrono::steady_clock::now() + 20s;
  while (!asleep()) {
    if (std::chrono::steady_clock::now() > patience) return false;
    std::this_thread::yield();
  }
  return true;
}

// With --wrap the linker makes every call of select() a call of __wrap_select(). __real_select() is
// the original.
extern "C" {
int __real_select(int, fd_set*, fd_set*, fd_set*, timeval*);
int __real_poll(pollfd*, nfds_t, int);
int __real_epoll_wait(int, epoll_event*, int, int);
int __real_timerfd_create(clockid_t, int);
int __real_timerfd_settime(int, int, const itimerspec*, itimerspec*);

int __wrap_select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* limit) {
  const bool sleeps = limit == nullptr || limit->tv_sec != 0 || limit->tv_usec != 0;
  return watched(sleeps, [&] { return __real_select(count, read, write, except, limit); });
}

// A poll() of one descriptor only asks for its state. A wait covers at least two: the reactor's
// eventfd and its timerfd.
int __wrap_poll(pollfd* all, nfds_t count, int limit) {
  if (count == 1) return __real_poll(all, count, limit);
  return watched(limit != 0, [&] { return __real_poll(all, count, limit); });
}

int __wrap_epoll_wait(int epoll, epoll_event* events, int most, int limit) {
  return watched(limit != 0, [&] { return __real_epoll_wait(epoll, events, most, limit); });
}

int __wrap_timerfd_create(clockid_t clock, int flags) {
  waits::arm(waits::time_point::max());
  return __real_timerfd_create(clock, flags);
}

int __wrap_timerfd_settime(int timer, int flags, const itimerspec* wanted, itimerspec* before) {
  const auto& when = wanted->it_value;
  const bool disarms = when.tv_sec == 0 && when.tv_nsec == 0;
  waits::arm(disarms ? waits::time_point::max() : moment(when));
  return __real_timerfd_settime(timer, flags, wanted, before);
}

#if __has_include(<liburing.h>)
int __real_io_uring_queue_init_params(unsigned, io_uring*, io_uring_params*);
int __real_io_uring_submit_and_get_events(io_uring*);
int __real_io_uring_submit_and_wait(io_uring*, unsigned);

int __wrap_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params) {
  waits::arm(waits::time_point::max());
  return __real_io_uring_queue_init_params(entries, ring, params);
}

int __wrap_io_uring_submit_and_get_events(io_uring* ring) {
  waits::begin(false);
  const int result = __real_io_uring_submit_and_get_events(ring);
  waits::end(static_cast<int>(io_uring_cq_ready(ring)));
  return result;
}

// The reactor arms a deadline by a timeout request in the submission queue. A deadline that has
// expired still counts as armed here until the next one is armed.
static void note_deadlines(const io_uring* ring) {
  const auto& queue = ring->sq;
  for (unsigned i = queue.sqe_head; i != queue.sqe_tail; ++i) {
    const auto& request = queue.sqes[i & queue.ring_mask];
    const auto limit = request.opcode == IORING_OP_TIMEOUT          ? request.addr
                       : request.opcode == IORING_OP_TIMEOUT_REMOVE ? request.addr2
                                                                    : 0;
    if (limit == 0) continue;
    const auto& span = *reinterpret_cast<const __kernel_timespec*>(limit);
    waits::arm_for(std::chrono::seconds{span.tv_sec} + std::chrono::nanoseconds{span.tv_nsec});
  }
}

int __wrap_io_uring_submit_and_wait(io_uring* ring, unsigned least) {
  note_deadlines(ring);
  waits::begin(true);
  const int result = __real_io_uring_submit_and_wait(ring, least);
  waits::end(static_cast<int>(io_uring_cq_ready(ring)));
  return result;
}

int __real_fibers_submit_and_gather(io_uring*, unsigned, std::chrono::microseconds);
int __wrap_fibers_submit_and_gather(io_uring* ring, unsigned wanted,
                                    std::chrono::microseconds window) {
  note_deadlines(ring);
  waits::begin(true);
  const int result = __real_fibers_submit_and_gather(ring, wanted, window);
  waits::end(static_cast<int>(io_uring_cq_ready(ring)));
  return result;
}
#endif
}
