#include <fibers/error.hpp>
#include <fibers/reactors/byte_calls.hpp>
#include <fibers/reactors/readiness.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace fibers {
namespace {

ssize_t ask_readiness(const operation& tried) noexcept {
  pollfd asked{};
  asked.fd = tried.descriptor();
  asked.events = tried.reads() ? POLLIN : POLLOUT;
  const auto ready = ::poll(&asked, 1, 0);
  if (ready < 0) return -1;
  if (ready != 0 && (asked.revents & POLLNVAL) == 0) return 0;
  errno = ready == 0 ? EAGAIN : EBADF;
  return -1;
}

bool is_local(int descriptor) noexcept {
  int family = AF_UNSPEC;
  socklen_t length = sizeof family;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0 &&
         family == AF_UNIX;
}

// The first call begins to connect. The call after the socket became writable asks for the outcome.
ssize_t connect(const operation& tried) noexcept {
  if (tried.status() == operation::state::pending) {
    int error = 0;
    socklen_t length = sizeof error;
    if (ask_readiness(tried) != 0) return -1;
    if (::getsockopt(tried.descriptor(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return -1;
    errno = error;
    return error == 0 ? 0 : -1;
  }
  return ::connect(tried.descriptor(), tried.address(), static_cast<socklen_t>(tried.size()));
}

// connect() to a Unix-domain path whose backlog is full fails with EAGAIN. No event reports when it
// has room, so that is an error and not a reason to wait.
bool would_block(const operation& tried) noexcept {
  const bool starts_connecting =
      tried.what() == operation::kind::connect && tried.status() != operation::state::pending;
  return errno == (starts_connecting ? EINPROGRESS : EAGAIN);
}

}  // namespace

// Delegates, so that the destructor closes the eventfd if there is no memory for the entries.
readiness::readiness(trigger how) : readiness{how == trigger::level} {
  interrupt_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (interrupt_ < 0) throw_error(errno, "eventfd");
  // calm() stops the events of descriptors that are not adopted and have no operation waiting.
  at(interrupt_).adopted = true;
  at(timer_.get()).adopted = true;
}

readiness::~readiness() {
  ::close(interrupt_);
}

int readiness::adopt(int descriptor) noexcept {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0) return errno;
  if ((flags & O_NONBLOCK) == 0 && ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) {
    return errno;
  }
  const int error = begin(descriptor);
  if (error == 0 && !watches_) at(descriptor).local = is_local(descriptor);
  return error;
}

// If the number's last owner was closed without forget(), its operations would wait for ever.
int readiness::begin(int descriptor) noexcept try {
  forget(descriptor);
  at(descriptor);
  const int error = enroll(descriptor);
  at(descriptor).adopted = error == 0;
  return error;
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

// ECONNABORTED: the peer reset a connection before it was accepted. The listener is fine.
ssize_t readiness::accept(const operation& tried) noexcept {
  int made;
  do {
    made = ::accept4(tried.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (made < 0 && errno == ECONNABORTED);
  if (made < 0) return -1;
  if (const int error = begin(made)) {
    ::close(made);
    errno = error;
    return -1;
  }
  auto& listener = known(tried);
  at(made).local = listener.local;
  // Mostly no other has come, and the next event will tell. But where each poll brings one, they
  // may come faster than that, so that now and then another try is worth its system call.
  const bool in_a_row = polls_ - std::exchange(accepted_in_, polls_) <= 1;
  accepted_in_a_row_ = in_a_row ? accepted_in_a_row_ + 1 : 0;
  const bool more = accepted_in_a_row_ >= many_accepts;
  if (watches_ || listener.level) listener.ready(direction::read) = more;
  return made;
}

void readiness::forget(int descriptor) noexcept {
  if (static_cast<std::size_t>(descriptor) >= entries_.size()) return;
  cancel_all(descriptor);
  auto& old = entries_[static_cast<std::size_t>(descriptor)];
  // If the descriptor was duplicated, close() does not remove it from the epoll set, and every
  // connection would be an event for ever.
  if (old.level) withdraw(descriptor);
  if (old.edges_only) edges_.remove(descriptor);
  old = entry{};
}

void readiness::cancel_all(int descriptor) noexcept {
  if (static_cast<std::size_t>(descriptor) >= entries_.size()) return;
  for (const auto which : {direction::read, direction::write}) {
    auto& waiting = entries_[static_cast<std::size_t>(descriptor)].waiting(which);
    if (waiting == nullptr) continue;
    if (watches_) unwatch(descriptor, which);
    forgotten_.push_back(*std::exchange(waiting, nullptr));
  }
}

readiness::entry& readiness::at(int descriptor) {
  const auto index = static_cast<std::size_t>(descriptor);
  if (index >= entries_.size()) entries_.resize(std::max(index + 1, entries_.size() * 2));
  return entries_[index];
}

bool readiness::submit(operation& started) {
  const auto index = static_cast<std::size_t>(started.descriptor());
  if (index >= entries_.size() || !entries_[index].adopted) [[unlikely]] {
    return submit_stranger(started);
  }
  auto& wanted = entries_[index];
  if (wanted.waiting(direction_of(started)) != nullptr) [[unlikely]] {
    started.fail(EBUSY);
    return true;
  }
  if (wanted.ready(direction_of(started)) && attempt(started)) return true;
  if (started.what() != operation::kind::receive) return wait_for_other(started);
  wait_for(started, wanted);
  return false;
}

// The path of nearly every message: there is room, and no send is pending.
ssize_t readiness::send_at_once(int descriptor, const void* data, std::size_t size) noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  if (index >= entries_.size()) return 0;
  auto& to = entries_[index];
  if (!to.ready(direction::write) || to.waiting(direction::write) != nullptr) return 0;
  const auto sent = send_now(descriptor, data, size);
  if (sent == static_cast<ssize_t>(size)) [[likely]]
    return sent;
  if (sent < 0 && errno != EAGAIN) {
    note_broken(to, errno);
    return errno == EINTR ? 0 : -errno;
  }
  to.ready(direction::write) = false;  // the socket is full
  return std::max<ssize_t>(sent, 0);
}

void readiness::note_broken(entry& of, int error) noexcept {
  if (ends_connection(error)) of.broken = static_cast<std::int16_t>(error);
}

// A send fails now, also on a full socket, and on a Unix-domain socket no event reports that. So
// the next one is worth a try.
void readiness::no_more_sends(int descriptor) noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  if (index < entries_.size()) entries_[index].ready(direction::write) = true;
}

int readiness::why_ended(int descriptor) noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  return index < entries_.size() ? std::exchange(entries_[index].broken, std::int16_t{0}) : 0;
}

// True if the last receive left bytes behind or an event has come since.
bool readiness::may_receive(int descriptor) const noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  return index < entries_.size() && entries_[index].flags[0];
}

// Submits an operation on a descriptor that was not adopted. The backend knows such a descriptor
// only while an operation waits.
[[gnu::noinline]] bool readiness::submit_stranger(operation& started) {
  const int descriptor = started.descriptor();
  if (::fcntl(descriptor, F_GETFD) < 0) {
    started.fail(errno);
    return true;
  }
  int error = at(descriptor).waiting(direction_of(started)) != nullptr ? EBUSY : 0;
  if (error == 0 && attempt(started)) return true;
  if (error == 0) error = enroll(descriptor);
  if (error == 0) {
    at(descriptor).room_watched = false;
    return wait_for_other(started);
  }
  started.fail(error);
  return true;
}

inline void readiness::wait_for(operation& started, entry& on) noexcept {
  const auto which = direction_of(started);
  on.waiting(which) = &started;
  started.pend();
  if (watches_ && !on.edges_only) watch(started.descriptor(), which);
}

bool readiness::wait_for_other(operation& started) noexcept {
  if (started.what() == operation::kind::wait_sent) {  // the kernel has all that was sent
    started.finish(0);
    return true;
  }
  auto& about = known(started);
  wait_for(started, about);
  if (watches_) return false;
  const bool accepts = started.what() == operation::kind::accept;
  if (accepts && !std::exchange(about.level, true)) watch(started.descriptor(), direction::read);
  if (!started.reads() && !std::exchange(about.room_watched, true)) {
    watch(started.descriptor(), direction::write);
  }
  return false;
}

// A receive from a Unix-domain socket also stops after bytes that carry descriptors. (The kernel
// closes those, because there is no control buffer to receive them.)
[[gnu::noinline]] ssize_t readiness::receive_local(const operation& tried, entry& from) noexcept {
  const iovec only{tried.data(), tried.size()};
  auto message = message_of(tried);
  if (tried.parts() == 0) message.msg_iov = const_cast<iovec*>(&only);
  message.msg_iovlen = std::max<std::size_t>(tried.parts(), 1);
  const auto received = ::recvmsg(tried.descriptor(), &message, MSG_DONTWAIT);
  if (received >= 0 && (message.msg_flags & MSG_CTRUNC) != 0) from.doubtful = true;
  return received;
}

inline ssize_t readiness::receive_from(const operation& tried, entry& from) noexcept {
  return from.local ? receive_local(tried, from) : receive_now(tried);
}

ssize_t readiness::call(const operation& tried) noexcept {
  switch (tried.what()) {
    case operation::kind::receive:
      return receive_from(tried, known(tried));
    case operation::kind::send:
      return send_now(tried);
    case operation::kind::accept:
      return accept(tried);
    case operation::kind::connect:
      return connect(tried);
    case operation::kind::wait_readable:
    case operation::kind::wait_writable:
      return ask_readiness(tried);
    case operation::kind::wait_sent:
      break;
  }
  return 0;
}

// Makes the system call. False: it would block. An accept may reallocate entries_.
[[gnu::noinline]] bool readiness::attempt(operation& tried) noexcept {
  ssize_t result;
  do {
    result = call(tried);
  } while (result < 0 && errno == EINTR);
  if (result < 0) [[unlikely]]
    return failed(tried);
  tried.finish(static_cast<std::size_t>(result));
  if (tried.result() < tried.size()) ran_short(tried);
  return true;
}

// attempt() for nearly every message: `tried` is a receive, and `from` is the entry of its
// descriptor.
inline bool readiness::attempt_receive(operation& tried, entry& from) noexcept {
  ssize_t received;
  do {
    received = receive_from(tried, from);
  } while (received < 0 && errno == EINTR);
  if (received < 0) [[unlikely]]
    return failed(tried);
  tried.finish(static_cast<std::size_t>(received));
  if (tried.result() < tried.size()) from.ready(direction::read) = from.doubtful;
  return true;
}

// Fails the operation by errno. False: it would have blocked.
[[gnu::noinline]] bool readiness::failed(operation& tried) noexcept {
  auto& now = known(tried);
  if (!would_block(tried)) {
    if (tried.what() == operation::kind::send) note_broken(now, errno);
    tried.fail(errno);
    return true;
  }
  now.ready(direction_of(tried)) = false;
  if (tried.what() == operation::kind::accept) accepted_in_a_row_ = 0;
  if (tried.reads()) now.doubtful = false;  // drained, or the doubt was about an earlier owner
  return false;
}

// The socket is drained (after a receive) or full (after a send).
inline void readiness::ran_short(const operation& tried) noexcept {
  auto& now = known(tried);
  if (tried.what() == operation::kind::receive) {
    now.ready(direction::read) = now.doubtful;
  } else if (tried.what() == operation::kind::send) {
    now.ready(direction::write) = false;
  }
}

bool readiness::cancel(operation& cancelled) noexcept {
  const auto which = direction_of(cancelled);
  auto& waiting = known(cancelled).waiting(which);
  if (waiting != &cancelled) return false;  // finished or forgotten: poll() gives it back
  waiting = nullptr;
  if (watches_) unwatch(cancelled.descriptor(), which);
  cancelled.fail(ECANCELED);
  return true;
}

// Throws unless a retry may succeed, or operations must be given back first.
[[gnu::noinline]] void readiness::expect_waited(int error) const {
  if (!forgotten_.empty() || error == EINTR || error == ENOMEM) return;
  throw_error(error, std::string{name_of(backend())});
}

void readiness::poll(time_point deadline, operation_list& finished) {
  ++polls_;
  bool rang_early;
  do {
    const bool sleeps = deadline != at_once && forgotten_.empty() && timer_.arm(deadline);
    const int events = wait(sleeps, finished);
    if (events < 0) [[unlikely]]
      expect_waited(-events);
    rang_early = sleeps && events == 1 && timer_.rang_before(deadline);
  } while (rang_early);
  give_back_forgotten(finished);
}

inline void readiness::give_back_forgotten(operation_list& finished) noexcept {
  for (auto& forgotten : forgotten_) forgotten.fail(ECANCELED);
  finished.splice_after(finished.last(), forgotten_);
}

// The destructors close descriptors, which the parent has as well.
void readiness::abandon(operation_list& finished) noexcept {
  give_back_forgotten(finished);
}

void readiness::became_ready(int descriptor, bool readable, bool writable, bool doubtful,
                             operation_list& finished) noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  auto& now = entries_[index];
  now.doubtful |= doubtful;
  if (readable || doubtful) {
    now.ready(direction::read) = true;
    if (auto* waiting = now.waiting(direction::read)) {
      if (waiting->what() == operation::kind::receive) [[likely]] {
        if (attempt_receive(*waiting, now)) {
          give_back(now, direction::read, finished);
        } else if (watches_) {
          move_to_edges(descriptor);
        }
      } else if (attempt(*waiting)) {
        // An accept may have moved the entries.
        give_back(entries_[index], direction::read, finished);
      }
    } else if (descriptor == timer_.get()) {
      timer_.rang();
    } else if (descriptor == edges_.get()) {
      take_edges(finished);
    } else if (now.level || !now.adopted) {
      calm(descriptor);
    }
  }
  if (writable || doubtful) {
    auto& again = entries_[index];
    again.ready(direction::write) = true;
    if (auto* waiting = again.waiting(direction::write)) {
      if (attempt(*waiting)) {
        give_back(again, direction::write, finished);
      } else if (watches_ && waiting->what() == operation::kind::send) {
        move_to_edges(descriptor);
      }
    } else if (!again.adopted) {
      calm(descriptor);
    }
  }
}

// Without memory or a descriptor for the set, the descriptor stays where it is.
[[gnu::noinline]] void readiness::move_to_edges(int descriptor) noexcept {
  if (edges_.get() < 0) {
    if (!edges_.open()) return;
    if (begin(edges_.get()) != 0) return edges_.close();
    watch(edges_.get(), direction::read);
  }
  auto& about = entries_[static_cast<std::size_t>(descriptor)];
  if (about.edges_only || !edges_.add(descriptor)) return;
  about.edges_only = true;
  about.local = is_local(descriptor);
  for (const auto which : {direction::read, direction::write}) unwatch(descriptor, which);
}

void readiness::take_edges(operation_list& finished) noexcept {
  for (const auto& event : edges_.take()) {
    const bool doubtful = (event.events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    became_ready(event.data.fd, (event.events & EPOLLIN) != 0, (event.events & EPOLLOUT) != 0,
                 doubtful, finished);
  }
}

// Stops events for which no operation waits. They would wake the loop for nothing, again and again.
void readiness::calm(int descriptor) noexcept {
  if (watches_) return;
  auto& about = entries_[static_cast<std::size_t>(descriptor)];
  if (std::exchange(about.level, false)) return unwatch(descriptor, direction::read);
  const bool wanted = about.waiting(direction::read) || about.waiting(direction::write);
  if (!wanted) withdraw(descriptor);
}

inline void readiness::give_back(entry& of, direction which, operation_list& finished) noexcept {
  auto& done = *std::exchange(of.waiting(which), nullptr);
  if (watches_) unwatch(done.descriptor(), which);
  finished.push_back(done);
}

void readiness::interrupt() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(interrupt_, &one, sizeof one);
}

void readiness::absorb_interrupt() noexcept {
  std::uint64_t count;
  [[maybe_unused]] const auto taken = ::read(interrupt_, &count, sizeof count);
}

}  // namespace fibers
