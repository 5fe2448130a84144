#include <fibers/coroutine.hpp>
#include <fibers/reactors/simulated.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

namespace fibers {
namespace {

// How long the kernel may take to deliver over loopback TCP on a busy machine.
constexpr int network_patience_ms = 10;

bool is_network(int descriptor) noexcept {
  int family = AF_UNSPEC;
  socklen_t length = sizeof family;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0 &&
         family != AF_UNIX;
}

int make_nonblocking(int descriptor) noexcept {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0) return errno;
  return ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 ? errno : 0;
}

// Whether it must be tried to know: poll(2) tells of room in a socket only while much is free.
bool only_trying_tells(const operation& wanted) noexcept {
  return wanted.what() == operation::kind::send;
}

}  // namespace

bool simulated_reactor::chance(double probability) noexcept {
  if (probability <= 0) return false;
  return static_cast<double>(random_() >> 11) * 0x1p-53 < probability;
}

int simulated_reactor::adopt(int descriptor) noexcept try {
  if (const int error = make_nonblocking(descriptor)) return error;
  forget(descriptor);
  states_[descriptor].network = is_network(descriptor);
  note_use(descriptor);
  return 0;
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

void simulated_reactor::forget(int descriptor) noexcept {
  cancel_all(descriptor);
  note_use(descriptor);
  states_.erase(descriptor);
}

void simulated_reactor::cancel_all(int descriptor) noexcept {
  std::erase_if(attempts_, [&](const attempt& each) {
    if (each.wanted->descriptor() != descriptor) return false;
    forgotten_.push_back(*each.wanted);
    return true;
  });
}

void simulated_reactor::note_use(int descriptor) noexcept {
  const auto known = states_.find(descriptor);
  network_used_ |= known != states_.end() && known->second.network;
}

// Half of the operations that can finish do so at once; the others, at a later poll().
bool simulated_reactor::submit(operation& started) {
  const int descriptor = started.descriptor();
  if (::fcntl(descriptor, F_GETFD) < 0) {
    started.fail(errno);
    return true;
  }
  for (const auto& each : attempts_) {
    if (each.wanted->descriptor() != descriptor || each.wanted->reads() != started.reads())
      continue;
    started.fail(EBUSY);
    return true;
  }
  if (started.what() == operation::kind::wait_sent) {  // the kernel has all that was sent
    started.finish(0);
    return true;
  }
  attempt first{&started};
  if (started.what() == operation::kind::connect) first.outcome = begin_connect(started);
  if (chance(0.5)) {
    look({&first, 1}, 0);
    if (first.possible && is_due(first) && try_one(first)) {
      note_use(descriptor);
      return true;
    }
  }
  attempts_.push_back(first);
  started.pend();
  return false;
}

int simulated_reactor::begin_connect(const operation& wanted) noexcept {
  note_use(wanted.descriptor());
  if (chance(faults_.refusals)) return below(2) == 0 ? ECONNREFUSED : ETIMEDOUT;
  const auto length = static_cast<socklen_t>(wanted.size());
  int result;
  do {
    result = ::connect(wanted.descriptor(), wanted.address(), length);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

int simulated_reactor::why_ended(int descriptor) noexcept {
  const auto known = states_.find(descriptor);
  return known != states_.end() ? std::exchange(known->second.untold, 0) : 0;
}

bool simulated_reactor::cancel(operation& cancelled) noexcept {
  const auto found = std::ranges::find(attempts_, &cancelled, &attempt::wanted);
  if (found == attempts_.end()) return false;  // finished or forgotten: poll() gives it back
  attempts_.erase(found);
  cancelled.fail(ECANCELED);
  return true;
}

void simulated_reactor::poll(time_point deadline, operation_list& finished) {
  ++polls_;
  for (;;) {
    give_back_forgotten(finished);
    try_all(finished);
    if (interrupted_.exchange(false) || !finished.empty() || deadline <= now_) return;
    if (network_delivers()) continue;
    const auto next = std::min(deadline, next_due());
    if (next == when_something_happens) report_deadlock();
    now_ = next;
  }
}

void simulated_reactor::abandon(operation_list& finished) noexcept {
  give_back_forgotten(finished);
}

void simulated_reactor::give_back_forgotten(operation_list& finished) noexcept {
  for (auto& forgotten : forgotten_) forgotten.fail(ECANCELED);
  finished.splice_after(finished.last(), forgotten_);
}

void simulated_reactor::report_deadlock() const {
  constexpr auto* said = "deadlock: nothing is ready, and no timer is armed";
  if (ends_program_) refuse("a simulation was destroyed while fibers wait for ever, uncancellably");
  throw test::deadlock{said};
}

// When the next operation finishes that a fault has delayed.
simulated_reactor::time_point simulated_reactor::next_due() const noexcept {
  auto next = when_something_happens;
  for (const auto& each : attempts_) {
    if (each.drawn && each.due > now_) next = std::min(next, each.due);
  }
  return next;
}

// Waits for sockets of the network, if they were used since the last time. True: something came.
bool simulated_reactor::network_delivers() {
  if (!std::exchange(network_used_, false)) return false;
  look(attempts_, network_patience_ms);
  return std::ranges::any_of(attempts_, [&](const attempt& each) {
    return each.possible && !(each.drawn && each.due > now_);
  });
}

// Asks the kernel which operations it would not refuse.
void simulated_reactor::look(std::span<attempt> at, int milliseconds) {
  asked_.clear();
  for (const auto& each : at) {
    const short event = each.wanted->reads() ? POLLIN : POLLOUT;
    asked_.push_back({each.wanted->descriptor(), event, 0});
  }
  while (::poll(asked_.data(), asked_.size(), milliseconds) < 0 && errno == EINTR) {
  }
  for (std::size_t i = 0; i < at.size(); ++i) {
    // A socket that is connected has room, and one that is refused has hung up.
    at[i].possible = asked_[i].revents != 0 || only_trying_tells(*at[i].wanted);
  }
}

bool simulated_reactor::is_due(attempt& of) noexcept {
  if (!std::exchange(of.drawn, true)) {
    of.resets = chance(faults_.resets);
    of.due = now_;
    if (faults_.longest_delay.count() > 0 && chance(faults_.delays)) {
      const auto longest = static_cast<std::uint64_t>(faults_.longest_delay.count());
      of.due = saturating_add(now_, clock::duration{static_cast<clock::rep>(1 + below(longest))});
    }
  }
  return of.due <= now_;
}

// Tries at least one of those that can finish, if there is one, and most of the others.
void simulated_reactor::try_all(operation_list& finished) {
  if (attempts_.empty()) return;
  look(attempts_, 0);
  order_.clear();
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    if (attempts_[i].possible && is_due(attempts_[i])) order_.push_back(i);
  }
  for (auto left = order_.size(); left > 1; --left) {
    std::swap(order_[left - 1], order_[below(left)]);
  }
  for (const auto index : order_) {
    if (!finished.empty() && chance(0.25)) continue;
    auto& each = attempts_[index];
    if (!try_one(each)) continue;
    note_use(each.wanted->descriptor());
    finished.push_back(*each.wanted);
  }
  std::erase_if(attempts_, [](const attempt& each) { return each.wanted->finished(); });
}

// False: it would block.
bool simulated_reactor::try_one(attempt& made) noexcept {
  auto& wanted = *made.wanted;
  switch (wanted.what()) {
    case operation::kind::receive:
    case operation::kind::send:
      return moves_bytes(made);
    case operation::kind::accept:
      return accepts(wanted);
    case operation::kind::connect:
      return connects(made);
    default:
      wanted.finish(0);
      return true;
  }
}

bool simulated_reactor::moves_bytes(const attempt& made) noexcept {
  auto& moved = *made.wanted;
  const auto known = states_.find(moved.descriptor());
  if (known != states_.end() && known->second.broken) {
    moved.reads() ? moved.finish(0) : moved.fail(EPIPE);
    return true;
  }
  if (made.resets) {
    reset(moved);
    return true;
  }
  auto most = moved.size();
  if (most > 1 && chance(faults_.short_counts)) most = 1 + below(most - 1);
  const auto count = transfer(moved, most);
  if (count < 0 && errno == EAGAIN) return false;
  count < 0 ? moved.fail(errno) : moved.finish(static_cast<std::size_t>(count));
  return true;
}

// Moves at most that many bytes.
ssize_t simulated_reactor::transfer(const operation& moved, std::size_t most) noexcept {
  constexpr std::size_t most_parts = 16;
  std::array<iovec, most_parts> parts{iovec{moved.data(), most}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = 1;
  if (moved.parts() != 0) {
    const auto count = std::min(moved.parts(), most_parts);
    for (std::size_t i = 0; i < count; ++i) {
      parts[i] = moved.first_part()[i];
      parts[i].iov_len = std::min(parts[i].iov_len, most);
      most -= parts[i].iov_len;
    }
    message.msg_iovlen = count;
  }
  ssize_t count;
  do {
    count = moved.reads() ? ::recvmsg(moved.descriptor(), &message, MSG_DONTWAIT)
                          : ::sendmsg(moved.descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  return count;
}

// The connection is lost: this operation is told so, and later ones find its end.
void simulated_reactor::reset(operation& met) noexcept {
  const int error = below(2) == 0 ? ECONNRESET : ETIMEDOUT;
  ::shutdown(met.descriptor(), SHUT_RDWR);
  if (const auto known = states_.find(met.descriptor()); known != states_.end()) {
    known->second.broken = true;
    if (!met.reads()) known->second.untold = error;
  }
  met.fail(error);
}

bool simulated_reactor::accepts(operation& accepting) noexcept {
  if (chance(faults_.shortages)) {
    accepting.fail(EMFILE);
    return true;
  }
  int made;
  do {
    made = ::accept4(accepting.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (made < 0 && (errno == ECONNABORTED || errno == EINTR));
  if (made < 0 && errno == EAGAIN) return false;
  if (made < 0) {
    accepting.fail(errno);
  } else if (const int error = adopt(made)) {
    ::close(made);
    accepting.fail(error);
  } else {
    accepting.finish(static_cast<std::size_t>(made));
  }
  return true;
}

bool simulated_reactor::connects(attempt& connecting) noexcept {
  auto& wanted = *connecting.wanted;
  int error = connecting.outcome;
  if (error == EINPROGRESS) {
    socklen_t length = sizeof error;
    if (::getsockopt(wanted.descriptor(), SOL_SOCKET, SO_ERROR, &error, &length) != 0)
      error = errno;
  }
  error != 0 ? wanted.fail(error) : wanted.finish(0);
  return true;
}

}  // namespace fibers
