#include <fibers/socket.hpp>
#include <fibers/this_fiber.hpp>

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace fibers {

socket::socket(socket&& other) noexcept
    : limit_{std::move(other.limit_)},
      scheduler_{other.scheduler_},
      descriptor_{std::exchange(other.descriptor_, -1)} {}

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
  scheduler_->blocking().reactor().forget(descriptor_);
  ::close(std::exchange(descriptor_, -1));
}

int socket::release() noexcept {
  limit_.never();
  if (is_open()) scheduler_->blocking().reactor().forget(descriptor_);
  return std::exchange(descriptor_, -1);
}

void socket::cancel() noexcept {
  if (is_open()) scheduler_->blocking().reactor().cancel_all(descriptor_);
}

void socket::connect(const sockaddr* peer, socklen_t length, error_code& error) {
  drop_descriptor();
  const auto mine = ++opened_;
  scheduler_ = &scheduler::current();
  limit_.move_to(scheduler_->timers());
  descriptor_ = ::socket(peer->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int failure = descriptor_ < 0 ? errno : scheduler_->blocking().reactor().adopt(descriptor_);
  if (failure == 0) failure = connect_opened(peer, length);
  error = code_of(failure);
  if (failure != 0 && is_still(mine)) drop_descriptor();
}

// A connect to a Unix-domain path whose backlog is full fails with EAGAIN at once, and no event
// reports room. So it is tried again every millisecond.
int socket::connect_opened(const sockaddr* peer, socklen_t length) {
  const auto mine = opened_;
  for (;;) {
    blocking_operation wanted{operation::kind::connect, descriptor_};
    wanted.address(peer, length);
    scheduler_->blocking().perform(wanted, &limit_);
    if (wanted.error() != EAGAIN) return is_still(mine) ? wanted.error() : ECANCELED;
    this_fiber::sleep_for(std::chrono::milliseconds{1});
    if (!is_still(mine)) return ECANCELED;
  }
}

int socket::family() const noexcept {
  int family = AF_INET;
  socklen_t length = sizeof family;
  ::getsockopt(descriptor_, SOL_SOCKET, SO_DOMAIN, &family, &length);
  return family;
}

scheduler& socket::adopt(int descriptor) {
  auto& here = scheduler::current();
  const int error = here.blocking().reactor().adopt(descriptor);
  if (error != 0) throw_error(error, "adopt a socket");
  return here;
}

int socket::listen(const sockaddr* local, socklen_t length, int backlog) noexcept {
  if (::bind(descriptor_, local, length) != 0 || ::listen(descriptor_, backlog) != 0) return errno;
  return scheduler_->blocking().reactor().adopt(descriptor_);
}

int socket::accept(error_code& error) {
  blocking_operation wanted{operation::kind::accept, descriptor_};
  if (is_open()) {
    scheduler_->blocking().perform(wanted, &limit_);
  } else {
    wanted.fail(EBADF);
  }
  error = code_of(wanted.error());
  return error ? -1 : static_cast<int>(wanted.result());
}

void socket::set_option(int level, int name, const void* data, std::size_t size,
                        error_code& error) {
  const auto length = static_cast<socklen_t>(size);
  error = code_of(::setsockopt(descriptor_, level, name, data, length) != 0 ? errno : 0);
}

}  // namespace fibers
