#include <fibers/socket.hpp>
#include <fibers/this_fiber.hpp>

#include <netinet/in.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <cerrno>
#include <utility>

namespace fibers {
namespace {

// Whether an accept failed for a lack that passes when others give something back.
bool ran_out(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

int option_of(int descriptor, int name, int& value) noexcept {
  socklen_t length = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? 0 : errno;
}

// Why the descriptor can be neither a stream nor a listener: an errno value; 0 if it can be one of
// them. `listens`: which one. A byte stream has no limits of messages, and no read looks for them.
int unfit(int descriptor, bool& listens) noexcept {
  int type = 0, protocol = 0, accepts = 0;
  if (const int error = option_of(descriptor, SO_TYPE, type)) return error;
  if (type != SOCK_STREAM) return EPROTOTYPE;
  if (const int error = option_of(descriptor, SO_PROTOCOL, protocol)) return error;
  if (protocol == IPPROTO_SCTP) return EPROTONOSUPPORT;
  const int error = option_of(descriptor, SO_ACCEPTCONN, accepts);
  listens = accepts != 0;
  return error;
}

}  // namespace

socket::socket(socket&& other) noexcept
    : limit_{std::move(other.limit_)},
      scheduler_{other.scheduler_},
      descriptor_{std::exchange(other.descriptor_, -1)},
      role_{other.role_} {}

socket& socket::operator=(socket&& other) noexcept {
  if (this == &other) return *this;
  close();
  limit_ = std::move(other.limit_);
  scheduler_ = other.scheduler_;
  descriptor_ = std::exchange(other.descriptor_, -1);
  return *this;
}

void socket::close() noexcept {
  if (is_open() && limit_.passed()) scheduler_->blocking().reactor().give_up_unsent(descriptor_);
  limit_.never();
  drop_descriptor();
}

void socket::drop_descriptor() noexcept {
  if (!is_open()) return;
  scheduler_->blocking().forget(descriptor_);
  limit_.leave_sleepers();  // their calls have ended
  end_visits();
  ::close(std::exchange(descriptor_, -1));
}

void socket::end_visits() noexcept {
  for (auto* each = std::exchange(visits_, nullptr); each != nullptr; each = each->next_) {
    each->to_ = nullptr;
  }
}

// If GCC 12 compiled this into its callers, it would warn of a pointer to a local variable that
// stays behind.
[[gnu::noinline]] void socket::begin_visit(visit& begun) noexcept {
  begun.next_ = std::exchange(visits_, &begun);
}

void socket::end_visit(const visit& ended) noexcept {
  auto** at = &visits_;
  while (*at != &ended) at = &(*at)->next_;
  *at = ended.next_;
}

void socket::assign(int descriptor, error_code& error) {
  if (is_open()) {
    error = boost::asio::error::already_open;
    return;
  }
  auto& here = scheduler::current();
  bool listens = false;
  int failure = unfit(descriptor, listens);
  if (failure == 0 && listens != (role_ == role::listener)) failure = EINVAL;
  if (failure == 0) failure = here.blocking().adopt(descriptor);
  error = code_of(failure);
  if (error) return;
  scheduler_ = &here;
  limit_.move_to(here.timers_);
  descriptor_ = descriptor;
}

void socket::assign(int descriptor) {
  error_code error;
  assign(descriptor, error);
  if (error) throw_error(error, "assign a socket");
}

int socket::release(error_code& error) {
  error = {};
  if (!is_open()) return -1;
  auto& blocking = scheduler_->blocking();
  int failure = blocking.reactor().hand_over(descriptor_);
  if (failure == EBUSY && scheduler_->tasks().current() != nullptr) {
    const visit here{*this};
    blocking_operation sent{operation::kind::wait_sent, descriptor_};
    blocking.perform(sent, &limit_);
    failure = here.is_over()      ? ECANCELED
              : sent.error() != 0 ? sent.error()
                                  : blocking.reactor().hand_over(descriptor_);
  }
  error = code_of(failure);
  if (error) return -1;
  limit_.never();
  end_visits();
  return std::exchange(descriptor_, -1);
}

int socket::release() {
  error_code error;
  const int released = release(error);
  if (error == boost::asio::error::try_again) throw_error(error, "release before all was read");
  if (error) throw_error(error, "release");
  return released;
}

void socket::cancel() noexcept {
  for (auto* each = visits_; each != nullptr; each = each->next_) each->cancelled_ = true;
  if (is_open()) scheduler_->blocking().reactor().cancel_all(descriptor_);
}

int socket::open(int family) {
  drop_descriptor();
  scheduler_ = &scheduler::current();
  limit_.move_to(scheduler_->timers_);
  descriptor_ = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return descriptor_ < 0 ? errno : 0;
}

void socket::connect(const sockaddr* peer, socklen_t length, error_code& error) {
  int failure = open(peer->sa_family);
  struct attempt {
    ~attempt() {
      if (!connected && !here.is_over()) opened.drop_descriptor();
    }
    socket& opened;
    const visit here{opened};
    bool connected = false;
  } made{*this};  // closes the socket also when an exception, such as `cancelled`, leaves the call
  if (failure == 0) failure = scheduler_->blocking().adopt(descriptor_);
  if (failure == 0) failure = connect_opened(peer, length, made.here);
  error = code_of(failure);
  made.connected = failure == 0;
}

// A connect to a Unix-domain path whose backlog is full fails with EAGAIN at once, and no event
// reports room. So it is tried again every millisecond.
int socket::connect_opened(const sockaddr* peer, socklen_t length, const visit& here) {
  for (;;) {
    blocking_operation wanted{operation::kind::connect, descriptor_};
    wanted.address(peer, length);
    scheduler_->blocking().perform(wanted, &limit_);
    if (wanted.error() != EAGAIN) return here.is_over() ? ECANCELED : wanted.error();
    this_fiber::sleep_for(std::chrono::milliseconds{1});
    if (here.must_end()) return ECANCELED;
  }
}

int socket::family() const noexcept {
  int family = AF_INET;
  socklen_t length = sizeof family;
  ::getsockopt(descriptor_, SOL_SOCKET, SO_DOMAIN, &family, &length);
  return family;
}

int socket::listen(const sockaddr* local, socklen_t length, int backlog) noexcept {
  if (::bind(descriptor_, local, length) != 0 || ::listen(descriptor_, backlog) != 0) return errno;
  return scheduler_->blocking().adopt(descriptor_);
}

// A connection for which there is no descriptor stays in the backlog, and no event reports a free
// descriptor. So it is accepted by trying again.
int socket::accept(error_code& error) {
  if (!is_open()) {
    error = code_of(EBADF);
    return -1;
  }
  const visit here{*this};
  for (;;) {
    blocking_operation wanted{operation::kind::accept, descriptor_};
    scheduler_->blocking().perform(wanted, &limit_);
    error = code_of(wanted.error());
    if (!error) return static_cast<int>(wanted.result());
    if (!ran_out(wanted.error())) return -1;
    this_fiber::sleep_for(std::chrono::milliseconds{10});
    if (!here.must_end()) continue;
    error = code_of(ECANCELED);
    return -1;
  }
}

void socket::set_option(int level, int name, const void* data, std::size_t size,
                        error_code& error) {
  const auto length = static_cast<socklen_t>(size);
  error = code_of(::setsockopt(descriptor_, level, name, data, length) != 0 ? errno : 0);
}

void socket::get_option(int level, int name, void* data, std::size_t& size,
                        error_code& error) const {
  auto length = static_cast<socklen_t>(size);
  error = code_of(::getsockopt(descriptor_, level, name, data, &length) != 0 ? errno : 0);
  size = length;
}

}  // namespace fibers
