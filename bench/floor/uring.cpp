#include <bench/floor/uring.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace bench {
namespace {

constexpr int buffer_group = 0;
constexpr unsigned submissions = 1024;
constexpr unsigned first_replies = 128;  // a small start, so that the buffers stay in the cache
constexpr unsigned most_ring_entries = 32768;
constexpr std::size_t most_buffer_bytes = 64 << 20;
constexpr rlim_t most_registered = 1 << 17;

[[noreturn]] void refuse(const server_options& options, int error) {
  const char* reason = error == EPERM    ? " (sysctl kernel.io_uring_disabled, or seccomp)"
                       : error == EINVAL ? " (it needs Linux 6.1)"
                                         : "";
  cannot_go_on(options, fmt::format("--io io_uring: {}{}", std::strerror(error), reason));
}

// On a non-blocking descriptor io_uring completes with EAGAIN instead of waiting.
void make_blocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

rlim_t descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

void say_connected(int fd) {
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  getpeername(fd, reinterpret_cast<sockaddr*>(&from), &length);
  say_connection_from(from);
}

}  // namespace

floor_uring::floor_uring(const server_options& options, int listener, int drain_signal)
    : options_{options},
      most_connections_{connections_per_thread(options)},
      listener_{listener},
      drain_signal_{drain_signal},
      slot_{options.prefix.size() + options.buffer},
      most_replies_{std::bit_floor(static_cast<unsigned>(
          std::clamp<std::size_t>(most_buffer_bytes / slot_, 4, most_ring_entries)))} {
  make_ring();
  make_buffers(std::min(first_replies, most_replies_));
  make_blocking(listener_);
  accept();
  watch_alarm();
  io_uring_prep_poll_add(&next_submission(request::drain, 0), drain_signal_, POLLIN);
}

floor_uring::~floor_uring() {
  io_uring_queue_exit(&ring_);
  munmap(buffers_, most_replies_ * sizeof(io_uring_buf));
}

// SINGLE_ISSUER and DEFER_TASKRUN: only this thread submits, and the kernel runs its completion
// work only when this thread asks for completions.
void floor_uring::make_ring() {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE;
  params.cq_entries = 8 * submissions;
  if (const int error = io_uring_queue_init_params(submissions, &ring_, &params)) {
    refuse(options_, -error);
  }
  // Both registrations save the kernel a look-up of the descriptor per call. Failure is harmless.
  io_uring_register_ring_fd(&ring_);
  const auto registered = static_cast<unsigned>(std::min(descriptor_limit(), most_registered));
  if (io_uring_register_files_sparse(&ring_, registered) == 0) {
    registered_ = static_cast<int>(registered);
  }
  void* memory = mmap(nullptr, most_replies_ * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) refuse(options_, errno);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  registration.ring_entries = most_replies_;
  registration.bgid = buffer_group;
  if (const int error = io_uring_register_buf_ring(&ring_, &registration, 0)) {
    refuse(options_, -error);
  }
  buffers_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_ring_init(buffers_);
}

void floor_uring::make_buffers(unsigned count) {
  count = std::min(count, most_replies_ - static_cast<unsigned>(replies_.size()));
  if (count == 0) return;
  char* bytes = slabs_.emplace_back(std::make_unique_for_overwrite<char[]>(count * slot_)).get();
  for (unsigned i = 0; i < count; ++i, bytes += slot_) {
    options_.prefix.copy(bytes, options_.prefix.size());
    replies_.push_back({.bytes = bytes});
    give_back(static_cast<int>(replies_.size()) - 1);
  }
}

void floor_uring::give_back(int buffer) {
  const auto& free = replies_[static_cast<std::size_t>(buffer)];
  io_uring_buf_ring_add(buffers_, free.bytes + options_.prefix.size(),
                        static_cast<unsigned>(options_.buffer), static_cast<unsigned short>(buffer),
                        io_uring_buf_ring_mask(most_replies_), returned_++);
}

std::uint64_t floor_uring::tag(request what, int descriptor) {
  return std::uint64_t{static_cast<std::uint8_t>(what)} << 32 |
         static_cast<std::uint32_t>(descriptor);
}

// Returns an entry of the submission queue; if the queue is full, submits it first. The caller's
// io_uring_prep_*() does not overwrite the tag in user_data.
io_uring_sqe& floor_uring::next_submission(request what, int descriptor) {
  auto* submission = io_uring_get_sqe(&ring_);
  while (submission == nullptr) {
    io_uring_submit(&ring_);
    submission = io_uring_get_sqe(&ring_);
  }
  io_uring_sqe_set_data64(submission, tag(what, descriptor));
  return *submission;
}

void floor_uring::run() {
  while (listener_ >= 0 || accepting_ || connections_ > 0) {
    if (returned_ > 0) {
      io_uring_buf_ring_advance(buffers_, std::exchange(returned_, 0));
      for (const int fd : std::exchange(starved_, {})) receive(fd);
    }
    wait();
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      completed(*completion);
      ++count;
    }
    io_uring_cq_advance(&ring_, count);
  }
}

void floor_uring::wait() {
  if (options_.spin.count() > 0) look_until(clock::now() + options_.spin);
  io_uring_submit_and_wait(&ring_, 1);
}

void floor_uring::look_until(clock::time_point until) {
  do {
    io_uring_submit_and_get_events(&ring_);
  } while (io_uring_cq_ready(&ring_) == 0 && clock::now() < until);
}

void floor_uring::completed(const io_uring_cqe& what) {
  const int fd = static_cast<int>(static_cast<std::uint32_t>(what.user_data));
  const bool more = (what.flags & IORING_CQE_F_MORE) != 0;
  switch (static_cast<request>(what.user_data >> 32)) {
    case request::receive:
      return received(fd, what.res, what.flags);
    case request::end:
      return end_came(fd);
    case request::send:
      return sent(fd, what.res);
    case request::accept:
      return accepted(what.res, more);
    case request::alarm:
      return on_alarm(more);
    case request::drain:
      return start_draining();
    case request::cancel:
      return;
  }
}

// A multishot accept takes all waiting connections at once. With --max-connections that would be
// too many, so accepts are single there.
void floor_uring::accept() {
  accept_again_ = never;
  if (accepting_ || listener_ < 0 || connections_ >= most_connections_) return;
  accepting_ = true;
  const auto prepare =
      options_.max_connections == 0 ? io_uring_prep_multishot_accept : io_uring_prep_accept;
  prepare(&next_submission(request::accept, 0), listener_, nullptr, nullptr, SOCK_CLOEXEC);
}

void floor_uring::accepted(int result, bool more) {
  accepting_ = more;
  if (listener_ < 0) {
    if (result >= 0) close(result);
    return;
  }
  if (result < 0) {  // mostly EMFILE; an immediate retry would spin
    accept_again_ = clock::now() + std::chrono::milliseconds{10};
    return set_alarm();
  }
  const auto index = static_cast<std::size_t>(result);
  if (peers_.size() <= index) peers_.resize(index + 1);
  peers_[index].open = true;
  peers_[index].moved = true;
  ++connections_;
  if (result < registered_) {
    io_uring_register_files_update(&ring_, static_cast<unsigned>(result), &result, 1);
  }
  if (!options_.quiet) say_connected(result);
  watch_end(result);
  receive(result);
  accept();
  if (next_look_ == never && options_.idle_timeout.count() > 0) {
    next_look_ = clock::now() + options_.idle_timeout / 16;
    set_alarm();
  }
}

void floor_uring::watch_end(int fd) {
  auto& submission = next_submission(request::end, fd);
  io_uring_prep_poll_add(&submission, fd, POLLRDHUP);
  submission.flags = by_register(fd);
  peers_[static_cast<std::size_t>(fd)].watched = true;
}

// The peer has closed its side, but the multishot receive may have missed that. So it is cancelled,
// and the next receive reports the end of stream.
void floor_uring::end_came(int fd) {
  auto& peer = peers_[static_cast<std::size_t>(fd)];
  peer.watched = false;
  if (peer.state == receiving::yes) return stop_receiving(fd);
  if (peer.ended) close_if_done(fd);
}

// Does not set IORING_RECVSEND_POLL_FIRST, although the first try mostly finds nothing. With that
// flag the kernel delivers the bytes that came before the receive, but never the end of stream that
// came with them.
void floor_uring::receive(int fd) {
  auto& submission = next_submission(request::receive, fd);
  io_uring_prep_recv_multishot(&submission, fd, nullptr, 0, 0);
  submission.flags = by_register(fd) | IOSQE_BUFFER_SELECT;
  submission.buf_group = buffer_group;
  peers_[static_cast<std::size_t>(fd)].state = receiving::yes;
}

void floor_uring::received(int fd, int result, std::uint32_t flags) {
  auto& peer = peers_[static_cast<std::size_t>(fd)];
  if ((flags & IORING_CQE_F_MORE) == 0) peer.state = receiving::no;
  if (result > 0) {
    peer.moved = true;
    if (options_.inject_ns.count() > 0) spend_cpu(options_.inject_ns);
    const int buffer = static_cast<int>(flags >> IORING_CQE_BUFFER_SHIFT);
    auto& next = replies_[static_cast<std::size_t>(buffer)];
    next = {.bytes = next.bytes,
            .size = static_cast<std::uint32_t>(options_.prefix.size()) +
                    static_cast<std::uint32_t>(result)};
    (peer.first == none ? peer.first : replies_[static_cast<std::size_t>(peer.last)].next) = buffer;
    peer.last = buffer;
    if (++peer.unsent == 1) return send_first(fd);
    if (peer.unsent >= most_unsent && peer.state == receiving::yes) stop_receiving(fd);
    return;
  }
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    give_back(static_cast<int>(flags >> IORING_CQE_BUFFER_SHIFT));
  }
  if (result == -ENOBUFS) {
    make_buffers(static_cast<unsigned>(replies_.size()));
    starved_.push_back(fd);
    peer.state = receiving::yes;  // it becomes true when run() has returned buffers to the ring
  } else if (result != -ECANCELED) {
    peer.ended = true;
    if (result < 0 && peer.watched) shutdown(fd, SHUT_RDWR);
    close_if_done(fd);
  } else if (peer.unsent == 0) {
    receive(fd);
  }
}

void floor_uring::stop_receiving(int fd) {
  peers_[static_cast<std::size_t>(fd)].state = receiving::cancelled;
  io_uring_prep_cancel64(&next_submission(request::cancel, fd), tag(request::receive, fd), 0);
}

void floor_uring::send_first(int fd) {
  const auto& first =
      replies_[static_cast<std::size_t>(peers_[static_cast<std::size_t>(fd)].first)];
  auto& submission = next_submission(request::send, fd);
  io_uring_prep_send(&submission, fd, first.bytes + first.sent, first.size - first.sent,
                     MSG_NOSIGNAL);
  submission.flags = by_register(fd);
}

void floor_uring::sent(int fd, int result) {
  auto& peer = peers_[static_cast<std::size_t>(fd)];
  auto& first = replies_[static_cast<std::size_t>(peer.first)];
  if (result < 0) {
    peer.ended = true;
    drop_replies(peer);
    if (peer.state != receiving::no || peer.watched) shutdown(fd, SHUT_RDWR);
    return close_if_done(fd);
  }
  peer.moved = true;
  first.sent += static_cast<std::uint32_t>(result);
  if (first.sent < first.size) return send_first(fd);
  give_back(std::exchange(peer.first, first.next));
  if (--peer.unsent > 0) return send_first(fd);
  if (peer.ended) return close_if_done(fd);
  if (peer.state == receiving::no) receive(fd);
}

void floor_uring::drop_replies(connection& peer) {
  while (peer.unsent > 0) {
    give_back(std::exchange(peer.first, replies_[static_cast<std::size_t>(peer.first)].next));
    --peer.unsent;
  }
}

void floor_uring::close_if_done(int fd) {
  auto& peer = peers_[static_cast<std::size_t>(fd)];
  if (peer.unsent > 0 || peer.state != receiving::no || peer.watched) return;
  const int gone = -1;
  if (fd < registered_) {
    io_uring_register_files_update(&ring_, static_cast<unsigned>(fd), &gone, 1);
  }
  close(fd);
  peer = {};
  --connections_;
  accept();
  if (options_.quiet) return;
  say_connection_closed();
  say_task_done();
}

// After SHUT_RD, received bytes are still read and answered; then comes the end of stream. The
// pending accept is cancelled: it keeps the listener open, and a path has no shutdown() for it.
void floor_uring::start_draining() {
  begin_drain(options_);
  if (accepting_) {
    io_uring_prep_cancel64(&next_submission(request::cancel, 0), tag(request::accept, 0), 0);
  }
  close(std::exchange(listener_, none));
  for (std::size_t fd = 0; fd < peers_.size(); ++fd) {
    if (peers_[fd].open) shutdown(static_cast<int>(fd), SHUT_RD);
  }
  drained_by_ = clock::now() + options_.drain;
  set_alarm();
}

void floor_uring::watch_alarm() {
  io_uring_prep_poll_multishot(&next_submission(request::alarm, 0), alarm_.descriptor(), POLLIN);
}

void floor_uring::on_alarm(bool more) {
  if (!more) watch_alarm();
  if (!alarm_.rang()) return;
  const auto now = clock::now();
  if (now >= accept_again_) accept();
  if (now >= next_look_) look_for_idle(now);
  if (now >= drained_by_) hang_up_all();
  set_alarm();
}

// Shuts idle connections down. It runs once per sixteenth of the idle timeout, since reading the
// clock on each message would use more CPU. So a connection is closed at most an eighth of the
// timeout too late.
void floor_uring::look_for_idle(clock::time_point now) {
  for (std::size_t fd = 0; fd < peers_.size(); ++fd) {
    auto& peer = peers_[fd];
    if (!peer.open) continue;
    if (std::exchange(peer.moved, false)) peer.still_since = now;
    if (now - peer.still_since >= options_.idle_timeout) shutdown(static_cast<int>(fd), SHUT_RDWR);
  }
  next_look_ = connections_ == 0 ? never : now + options_.idle_timeout / 16;
}

void floor_uring::hang_up_all() {
  drained_by_ = never;
  for (std::size_t fd = 0; fd < peers_.size(); ++fd) {
    if (peers_[fd].open) shutdown(static_cast<int>(fd), SHUT_RDWR);
  }
}

void floor_uring::set_alarm() {
  alarm_.set(std::min({accept_again_, next_look_, drained_by_}));
}

}  // namespace bench
