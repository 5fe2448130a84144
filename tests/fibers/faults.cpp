#include <tests/fibers/faults.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>
#if __has_include(<liburing.h>)
#include <liburing.h>
#endif

namespace {

using call = faults::call;

constexpr auto call_count = static_cast<std::size_t>(call::count);

struct kind_of_call {
  std::string_view name;
  std::vector<int> errors;
};

// In the order of faults::call.
const std::array<kind_of_call, call_count> kinds{{
    {"accept4", {EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EPROTO}},
    {"bind", {EACCES, EADDRINUSE, ENOMEM}},
    {"close", {EINTR, EIO}},
    {"connect", {EACCES, EADDRNOTAVAIL, EAGAIN, ECONNREFUSED, EINTR, ENETUNREACH, ETIMEDOUT}},
    {"epoll_create1", {EMFILE, ENFILE, ENOMEM}},
    {"epoll_ctl", {ENOMEM, ENOSPC}},
    {"epoll_wait", {EINTR}},
    {"eventfd", {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"fcntl", {EPERM}},
    {"getsockopt", {ENOBUFS}},
    {"listen", {EADDRINUSE}},
    {"madvise", {EAGAIN, EINVAL, ENOMEM}},
    {"mmap", {EAGAIN, ENOMEM}},
    {"mprotect", {ENOMEM}},
    {"munmap", {ENOMEM}},
    {"poll", {EINTR, ENOMEM}},
    {"read", {EAGAIN, EINTR}},
    {"recv", {faults::one_byte, EAGAIN, ECONNREFUSED, ECONNRESET, EINTR, ENOMEM, ETIMEDOUT}},
    {"recvmsg", {faults::one_byte, EAGAIN, ECONNRESET, EINTR, ENOMEM, ETIMEDOUT}},
    {"select", {EINTR, ENOMEM}},
    {"send", {faults::one_byte, EAGAIN, ECONNRESET, EINTR, ENOBUFS, ENOMEM, EPIPE}},
    {"sendmsg", {faults::one_byte, EAGAIN, ECONNRESET, EINTR, ENOBUFS, ENOMEM, EPIPE}},
    {"setsockopt", {ENOBUFS, ENOMEM}},
    {"shutdown", {ENOBUFS, ENOTCONN}},
    {"socket", {EACCES, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM}},
    {"thread_start", {EAGAIN}},
    {"timerfd_create", {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"ring_setup", {EMFILE, ENFILE, ENOMEM, EPERM}},
    {"ring_enter", {EAGAIN, EBUSY, EINTR}},
    {"completion", {ECONNABORTED, ECONNRESET, EINTR, ENOBUFS, ENOMEM, EPIPE, ETIMEDOUT}},
    {"allocation", {ENOMEM}},
}};

// Only the thread that runs a scenario counts. Nothing below may allocate while it does.
thread_local constinit bool watching = false;
thread_local constinit std::array<int, call_count> used{};
thread_local constinit faults::fault wanted{call::count, 0, 0};
thread_local constinit bool came_to_pass = false;

// The error that this use of the call shall have; 0: none.
int strikes(call of) {
  if (!watching) return 0;
  const int use = ++used[static_cast<std::size_t>(of)];
  if (of != wanted.of || use != wanted.use) return 0;
  came_to_pass = true;
  return wanted.error;
}

// A call that the kernel does not see if it fails.
template <class Result, class Call>
Result may_fail(call of, Result failed, Call real) {
  if (const int error = strikes(of); error != 0) {
    errno = error;
    return failed;
  }
  return real();
}

// A call that transfers bytes, and may transfer fewer.
template <class Call>
ssize_t may_fall_short(call of, std::size_t size, Call real) {
  const int error = strikes(of);
  if (error == faults::one_byte) return real(size < 1 ? size : 1);
  if (error == 0) return real(size);
  errno = error;
  return -1;
}

template <class Message, class Call>
ssize_t message_may_fall_short(call of, Message message, Call real) {
  const int error = strikes(of);
  if (error == 0) return real(&message);
  if (error != faults::one_byte) {
    errno = error;
    return -1;
  }
  if (message.msg_iovlen == 0 || message.msg_iov[0].iov_len == 0) return real(&message);
  iovec first{message.msg_iov[0].iov_base, 1};
  message.msg_iov = &first;
  message.msg_iovlen = 1;
  return real(&message);
}

void run(const std::function<void()>& scenario) {
  used = {};
  came_to_pass = false;
  watching = true;
  try {
    scenario();
  } catch (...) {
    watching = false;
    throw;
  }
  watching = false;
}

}  // namespace

std::string_view faults::name(call of) {
  return kinds[static_cast<std::size_t>(of)].name;
}

std::span<const int> faults::errors(call of) {
  return kinds[static_cast<std::size_t>(of)].errors;
}

void faults::watch(const std::function<void()>& scenario) {
  strike({call::count, 0, 0}, scenario);
}

void faults::strike(fault one, const std::function<void()>& scenario) {
  wanted = one;
  run(scenario);
}

int faults::uses(call of) {
  return used[static_cast<std::size_t>(of)];
}

int faults::all_uses() {
  return std::accumulate(used.begin(), used.end(), 0);
}

bool faults::struck() {
  return came_to_pass;
}

// --- allocations ---------------------------------------------------------------------------------

void* operator new(std::size_t size) {
  if (strikes(call::allocation) != 0) throw std::bad_alloc{};
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

// --- threads -------------------------------------------------------------------------------------

// pthread_create() is called inside the C++ library, so the function of std::thread that calls it
// is wrapped. It throws what that throws.
// `state` is a unique_ptr to a type that is private since GCC 14, and the ABI passes its address.
extern "C" {
void __real__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(
    std::thread* thread, void* state, void (*depend)());
void __wrap__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(
    std::thread* thread, void* state, void (*depend)()) {
  if (const int error = strikes(call::thread_start); error != 0)
    throw std::system_error{error, std::generic_category()};
  __real__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(
      thread, state, depend);
}
}

// --- system calls --------------------------------------------------------------------------------

extern "C" {
int __real_accept4(int, sockaddr*, socklen_t*, int);
int __wrap_accept4(int a, sockaddr* b, socklen_t* c, int d) {
  return may_fail(call::accept4, -1, [&] { return __real_accept4(a, b, c, d); });
}
int __real_bind(int, const sockaddr*, socklen_t);
int __wrap_bind(int a, const sockaddr* b, socklen_t c) {
  return may_fail(call::bind, -1, [&] { return __real_bind(a, b, c); });
}
// Linux releases the descriptor even if close() reports an error.
int __real_close(int);
int __wrap_close(int a) {
  const int error = strikes(call::close);
  const int result = __real_close(a);
  if (error == 0) return result;
  errno = error;
  return -1;
}
int __real_connect(int, const sockaddr*, socklen_t);
int __wrap_connect(int a, const sockaddr* b, socklen_t c) {
  return may_fail(call::connect, -1, [&] { return __real_connect(a, b, c); });
}
int __real_epoll_create1(int);
int __wrap_epoll_create1(int a) {
  return may_fail(call::epoll_create1, -1, [&] { return __real_epoll_create1(a); });
}
int __real_epoll_ctl(int, int, int, epoll_event*);
int __wrap_epoll_ctl(int a, int b, int c, epoll_event* d) {
  // Removing fails only for what is not there.
  if (b == EPOLL_CTL_DEL) return __real_epoll_ctl(a, b, c, d);
  return may_fail(call::epoll_ctl, -1, [&] { return __real_epoll_ctl(a, b, c, d); });
}
int __real_epoll_wait(int, epoll_event*, int, int);
int __wrap_epoll_wait(int a, epoll_event* b, int c, int d) {
  return may_fail(call::epoll_wait, -1, [&] { return __real_epoll_wait(a, b, c, d); });
}
int __real_eventfd(unsigned, int);
int __wrap_eventfd(unsigned a, int b) {
  return may_fail(call::eventfd, -1, [&] { return __real_eventfd(a, b); });
}
int __real_fcntl(int, int, ...);
int __wrap_fcntl(int a, int b, ...) {
  std::va_list rest;
  va_start(rest, b);
  const auto c = va_arg(rest, long);
  va_end(rest);
  return may_fail(call::fcntl, -1, [&] { return __real_fcntl(a, b, c); });
}
int __real_getsockopt(int, int, int, void*, socklen_t*);
int __wrap_getsockopt(int a, int b, int c, void* d, socklen_t* e) {
  return may_fail(call::getsockopt, -1, [&] { return __real_getsockopt(a, b, c, d, e); });
}
int __real_listen(int, int);
int __wrap_listen(int a, int b) {
  return may_fail(call::listen, -1, [&] { return __real_listen(a, b); });
}
int __real_madvise(void*, std::size_t, int);
int __wrap_madvise(void* a, std::size_t b, int c) {
  return may_fail(call::madvise, -1, [&] { return __real_madvise(a, b, c); });
}
void* __real_mmap(void*, std::size_t, int, int, int, off_t);
void* __wrap_mmap(void* a, std::size_t b, int c, int d, int e, off_t f) {
  return may_fail(call::mmap, MAP_FAILED, [&] { return __real_mmap(a, b, c, d, e, f); });
}
int __real_mprotect(void*, std::size_t, int);
int __wrap_mprotect(void* a, std::size_t b, int c) {
  return may_fail(call::mprotect, -1, [&] { return __real_mprotect(a, b, c); });
}
int __real_munmap(void*, std::size_t);
int __wrap_munmap(void* a, std::size_t b) {
  return may_fail(call::munmap, -1, [&] { return __real_munmap(a, b); });
}
int __real_poll(pollfd*, nfds_t, int);
int __wrap_poll(pollfd* a, nfds_t b, int c) {
  return may_fail(call::poll, -1, [&] { return __real_poll(a, b, c); });
}
ssize_t __real_read(int, void*, std::size_t);
ssize_t __wrap_read(int a, void* b, std::size_t c) {
  return may_fail(call::read, ssize_t{-1}, [&] { return __real_read(a, b, c); });
}
ssize_t __real_recv(int, void*, std::size_t, int);
ssize_t __wrap_recv(int a, void* b, std::size_t c, int d) {
  return may_fall_short(call::recv, c,
                        [&](std::size_t size) { return __real_recv(a, b, size, d); });
}
ssize_t __real_recvmsg(int, msghdr*, int);
ssize_t __wrap_recvmsg(int a, msghdr* b, int c) {
  return message_may_fall_short(call::recvmsg, *b, [&](msghdr* message) {
    const auto got = __real_recvmsg(a, message, c);
    b->msg_flags = message->msg_flags;
    b->msg_controllen = message->msg_controllen;
    return got;
  });
}
int __real_select(int, fd_set*, fd_set*, fd_set*, timeval*);
int __wrap_select(int a, fd_set* b, fd_set* c, fd_set* d, timeval* e) {
  return may_fail(call::select, -1, [&] { return __real_select(a, b, c, d, e); });
}
ssize_t __real_send(int, const void*, std::size_t, int);
ssize_t __wrap_send(int a, const void* b, std::size_t c, int d) {
  return may_fall_short(call::send, c,
                        [&](std::size_t size) { return __real_send(a, b, size, d); });
}
ssize_t __real_sendmsg(int, const msghdr*, int);
ssize_t __wrap_sendmsg(int a, const msghdr* b, int c) {
  return message_may_fall_short(
      call::sendmsg, *b, [&](const msghdr* message) { return __real_sendmsg(a, message, c); });
}
int __real_setsockopt(int, int, int, const void*, socklen_t);
int __wrap_setsockopt(int a, int b, int c, const void* d, socklen_t e) {
  return may_fail(call::setsockopt, -1, [&] { return __real_setsockopt(a, b, c, d, e); });
}
int __real_shutdown(int, int);
int __wrap_shutdown(int a, int b) {
  return may_fail(call::shutdown, -1, [&] { return __real_shutdown(a, b); });
}
int __real_socket(int, int, int);
int __wrap_socket(int a, int b, int c) {
  return may_fail(call::socket, -1, [&] { return __real_socket(a, b, c); });
}
int __real_timerfd_create(int, int);
int __wrap_timerfd_create(int a, int b) {
  return may_fail(call::timerfd_create, -1, [&] { return __real_timerfd_create(a, b); });
}

#if __has_include(<liburing.h>)
// liburing returns errors as negative numbers.
int __real_io_uring_queue_init_params(unsigned, io_uring*, io_uring_params*);
int __wrap_io_uring_queue_init_params(unsigned a, io_uring* b, io_uring_params* c) {
  if (const int error = strikes(call::ring_setup); error != 0) return -error;
  return __real_io_uring_queue_init_params(a, b, c);
}

// A completion is rewritten only if its request says that nothing is lost by it: no buffer was
// chosen and no bytes were received. A connection that was accepted is closed.
namespace {
struct opcodes_by_user_data {
  std::array<std::pair<std::uint64_t, std::uint8_t>, 4096> known{};
  auto& at(std::uint64_t user_data) { return known[(user_data * 0x9e3779b97f4a7c15u) >> 52]; }
};
thread_local opcodes_by_user_data requested;

void note_requests(const io_uring* ring) {
  const auto mask = *ring->sq.kring_mask;
  for (auto at = ring->sq.sqe_head; at != ring->sq.sqe_tail; ++at) {
    const auto& request = ring->sq.sqes[at & mask];
    requested.at(request.user_data) = {request.user_data, request.opcode};
  }
}

bool may_be_rewritten(const io_uring_cqe& completion) {
  const auto& [user_data, opcode] = requested.at(completion.user_data);
  if (user_data != completion.user_data || completion.res < 0) return false;
  if (opcode == IORING_OP_RECV) return completion.res == 0;
  return opcode == IORING_OP_SEND || opcode == IORING_OP_CONNECT || opcode == IORING_OP_ACCEPT;
}

void rewrite(io_uring_cqe& completion, int error) {
  const auto opcode = requested.at(completion.user_data).second;
  if (opcode == IORING_OP_ACCEPT) __real_close(completion.res);
  completion.res = -error;
}

// The completions that were not seen before.
void rewrite_completions(const io_uring* ring) {
  static thread_local constinit unsigned seen = 0;
  static thread_local constinit const io_uring* of = nullptr;
  const unsigned head = *ring->cq.khead, tail = *ring->cq.ktail;
  if (std::exchange(of, ring) != ring || static_cast<int>(head - seen) > 0 || tail < seen)
    seen = head;
  for (; seen != tail; ++seen) {
    auto& completion = ring->cq.cqes[seen & *ring->cq.kring_mask];
    if (!may_be_rewritten(completion)) continue;
    if (const int error = strikes(call::completion); error != 0) rewrite(completion, error);
  }
}

extern "C++" template <class Call>
int entered(io_uring* ring, Call real) {
  if (const int error = strikes(call::ring_enter); error != 0) return -error;
  note_requests(ring);
  const int result = real();
  rewrite_completions(ring);
  return result;
}
}  // namespace

int __real_io_uring_submit(io_uring*);
int __wrap_io_uring_submit(io_uring* a) {
  return entered(a, [&] { return __real_io_uring_submit(a); });
}
int __real_io_uring_submit_and_wait(io_uring*, unsigned);
int __wrap_io_uring_submit_and_wait(io_uring* a, unsigned b) {
  return entered(a, [&] { return __real_io_uring_submit_and_wait(a, b); });
}
int __real_fibers_submit_and_gather(io_uring*, unsigned, std::chrono::microseconds);
int __wrap_fibers_submit_and_gather(io_uring* a, unsigned b, std::chrono::microseconds c) {
  return entered(a, [&] { return __real_fibers_submit_and_gather(a, b, c); });
}
int __real_io_uring_submit_and_get_events(io_uring*);
int __wrap_io_uring_submit_and_get_events(io_uring* a) {
  return entered(a, [&] { return __real_io_uring_submit_and_get_events(a); });
}
int __real_io_uring_get_events(io_uring*);
int __wrap_io_uring_get_events(io_uring* a) {
  return entered(a, [&] { return __real_io_uring_get_events(a); });
}
#endif
}
