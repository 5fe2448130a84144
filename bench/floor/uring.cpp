#include <bench/floor/uring.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

namespace bench {
namespace {

constexpr unsigned first_replies = 128;  // a small start, so that the buffers stay in the cache
constexpr unsigned most_ring_entries = 32768;
constexpr std::size_t most_buffer_bytes = 64 << 20;

// On a non-blocking descriptor io_uring completes with EAGAIN instead of waiting.
void make_blocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

void say_connected(int fd) {
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  getpeername(fd, reinterpret_cast<sockaddr*>(&from), &length);
  say_connection_from(from);
}

}  // namespace

floor_uring::floor_uring(const server_options& options, int listener, int drain_signal,
                         floor_service* service)
    : options_{options},
      service_{service},
      most_connections_{connections_per_thread(options)},
      listener_{listener},
      drain_signal_{drain_signal},
      slot_{std::max(options.prefix.size() + options.buffer,
                     service != nullptr ? service->most_answer(options.buffer) : 0)},
      most_replies_{std::bit_floor(static_cast<unsigned>(
          std::clamp<std::size_t>(most_buffer_bytes / slot_, 4, most_ring_entries)))},
      ring_{options, most_replies_},
      gather_{ring_.can_gather() ? options.gather : gathering{.automatic = false}} {
  make_buffers(std::min(first_replies, most_replies_));
  make_blocking(listener_);
  accept();
  watch_alarm();
  io_uring_prep_poll_add(&next_submission(request::drain, 0), drain_signal_, POLLIN);
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
  char* const bytes = replies_[static_cast<std::size_t>(buffer)].bytes;
  ring_.prepare_to_lend(bytes + options_.prefix.size(), options_.buffer, buffer);
}

std::uint64_t floor_uring::tag(request what, int descriptor) {
  return std::uint64_t{static_cast<std::uint8_t>(what)} << 32 |
         static_cast<std::uint32_t>(descriptor);
}

// The caller's io_uring_prep_*() does not overwrite the tag in user_data.
io_uring_sqe& floor_uring::next_submission(request what, int descriptor) {
  auto& submission = ring_.next();
  io_uring_sqe_set_data64(&submission, tag(what, descriptor));
  return submission;
}

void floor_uring::run() {
  while (listener_ >= 0 || accepting_ || connections_ > 0) {
    if (ring_.lend()) {
      for (const int fd : std::exchange(starved_, {})) receive(fd);
    }
    wait();
  }
}

void floor_uring::wait() {
  hurry_ = hurry_ && !tries_.empty();
  const unsigned wanted = hurry_ ? 0 : gather_.wanted();
  if (wanted == 0) {
    ring_.submit();
  } else {
    sleep(wanted);
  }
  const auto taken = ring_.has_taken_all() ? tries_.size() : 0;
  messages_ = 0;
  ring_.harvest([this](const io_uring_cqe& what) { completed(what); });
  if (wanted > 1) gather_.slept(messages_);
  conclude_tries(taken);
}

void floor_uring::sleep(unsigned completions) {
  if (options_.spin.count() > 0) look_until(clock::now() + options_.spin);
  if (completions == 1) {
    ring_.sleep();
  } else {
    ring_.gather(completions, gather_.window());
  }
}

// Of the first `count` tries, which the kernel has taken, those have succeeded that left no
// completion.
void floor_uring::conclude_tries(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto [fd, number] = tries_[i];
    const auto& peer = peers_[static_cast<std::size_t>(fd)];
    if (peer.tried == number)
      sent(fd, static_cast<int>(replies_[static_cast<std::size_t>(peer.first)].size));
  }
  tries_.erase(tries_.begin(), tries_.begin() + static_cast<std::ptrdiff_t>(count));
}

void floor_uring::look_until(clock::time_point until) {
  do {
    ring_.submit();
  } while (!ring_.has_completions() && clock::now() < until);
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
  ring_.learn(result);
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
  submission.flags = ring_.flag_of(fd);
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
  submission.flags = ring_.flag_of(fd) | IOSQE_BUFFER_SELECT;
  submission.buf_group = floor_ring::buffer_group;
  peers_[static_cast<std::size_t>(fd)].state = receiving::yes;
}

void floor_uring::received(int fd, int result, std::uint32_t flags) {
  auto& peer = peers_[static_cast<std::size_t>(fd)];
  if ((flags & IORING_CQE_F_MORE) == 0) peer.state = receiving::no;
  if (peer.tried != 0) hurry_ = true;
  if (result > 0) {
    peer.moved = true;
    count_message(peer);
    if (service_ == nullptr && options_.inject_ns.count() > 0) spend_cpu(options_.inject_ns);
    const int buffer = static_cast<int>(flags >> IORING_CQE_BUFFER_SHIFT);
    auto& next = replies_[static_cast<std::size_t>(buffer)];
    next = {.bytes = next.bytes,
            .size = compose_reply(fd, next.bytes, static_cast<std::size_t>(result))};
    if (next.size == 0) {
      give_back(buffer);
      if (peer.state == receiving::no && peer.unsent == 0) receive(fd);
      return;
    }
    (peer.first == none ? peer.first : replies_[static_cast<std::size_t>(peer.last)].next) = buffer;
    peer.last = buffer;
    if (++peer.unsent == 1) return try_first(fd);
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

// Turns the bytes of one receive into the reply to them. Returns its size.
std::uint32_t floor_uring::compose_reply(int fd, char* bytes, std::size_t received) {
  if (service_ == nullptr) return static_cast<std::uint32_t>(options_.prefix.size() + received);
  auto& peer = peers_[static_cast<std::size_t>(fd)];
  if (peer.closes) return 0;
  const auto answer = service_->answer(fd, {bytes, received});
  peer.closes = answer.last || answer.bytes.size() > slot_;  // never sends half of an answer
  // The next receive reports it. If replies are under way, sent() does it.
  if (peer.closes && peer.unsent == 0 && answer.bytes.empty()) shutdown(fd, SHUT_RDWR);
  if (answer.bytes.size() > slot_) return shutdown(fd, SHUT_RDWR), 0;
  return static_cast<std::uint32_t>(answer.bytes.copy(bytes, slot_));
}

void floor_uring::stop_receiving(int fd) {
  peers_[static_cast<std::size_t>(fd)].state = receiving::cancelled;
  io_uring_prep_cancel64(&next_submission(request::cancel, fd), tag(request::receive, fd), 0);
}

void floor_uring::count_message(connection& from) {
  const auto round = gather_.round();
  gather_.served(std::exchange(from.round, round) != round);
  ++messages_;
}

// Sends without waiting for room. MSG_WAITALL makes a short send a failure, and failures leave a
// completion.
void floor_uring::try_first(int fd) {
  auto& peer = peers_[static_cast<std::size_t>(fd)];
  const auto& first = replies_[static_cast<std::size_t>(peer.first)];
  auto& submission = next_submission(request::send, fd);
  io_uring_prep_send(&submission, fd, first.bytes, first.size,
                     MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
  submission.flags = ring_.flag_of(fd) | IOSQE_CQE_SKIP_SUCCESS;
  if (++last_try_ == 0) ++last_try_;
  peer.tried = last_try_;
  tries_.push_back({fd, last_try_});
  if (peer.unsent > 1 || peer.ended || peer.closes || peer.state != receiving::yes) hurry_ = true;
}

void floor_uring::send_first(int fd) {
  const auto& first =
      replies_[static_cast<std::size_t>(peers_[static_cast<std::size_t>(fd)].first)];
  auto& submission = next_submission(request::send, fd);
  io_uring_prep_send(&submission, fd, first.bytes + first.sent, first.size - first.sent,
                     MSG_NOSIGNAL);
  submission.flags = ring_.flag_of(fd);
}

void floor_uring::sent(int fd, int result) {
  auto& peer = peers_[static_cast<std::size_t>(fd)];
  auto& first = replies_[static_cast<std::size_t>(peer.first)];
  if (std::exchange(peer.tried, 0) != 0 && result == -EAGAIN) return send_first(fd);
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
  if (--peer.unsent > 0) return try_first(fd);
  if (peer.closes) shutdown(fd, SHUT_RDWR);
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
  ring_.forget(fd);
  if (service_ != nullptr) service_->forget(fd);
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
