#include <fibers/error.hpp>
#include <fibers/reactors/epoll.hpp>

#include <unistd.h>

#include <cerrno>

namespace fibers {
namespace {

constexpr std::uint32_t for_reading = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t raise_doubt = EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR;

}  // namespace

epoll_reactor::epoll_reactor() : readiness{trigger::edge}, epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
  if (epoll_ < 0) throw_error(errno, "epoll_create1");
  for (const int own : {interrupt_descriptor(), timer_descriptor()}) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;  // each interrupt is an edge, so the eventfd need not be read
    event.data.fd = own;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, own, &event) == 0) continue;
    const int error = errno;
    ::close(epoll_);
    throw_error(error, "epoll_ctl");
  }
}

epoll_reactor::~epoll_reactor() {
  ::close(epoll_);
}

// The only epoll_ctl for most descriptors, because close() removes the registration. (If the
// descriptor was duplicated the registration stays. An event for a reused number costs its new
// owner one EAGAIN.)
int epoll_reactor::enroll(int descriptor) noexcept {
  epoll_event event{};
  event.events = for_reading;
  event.data.fd = descriptor;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0) return 0;
  if (errno != EEXIST) return errno;
  event.events |= EPOLLOUT;  // an operation may wait for room
  return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) == 0 ? 0 : errno;
}

// EPOLL_CTL_MOD reports room that is there already, too.
void epoll_reactor::watch(int descriptor, direction which) noexcept {
  epoll_event event{};
  event.events = which == direction::read ? EPOLLIN : for_reading | EPOLLOUT;
  event.data.fd = descriptor;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void epoll_reactor::unwatch(int descriptor, direction) noexcept {
  epoll_event event{};
  event.events = for_reading;
  event.data.fd = descriptor;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void epoll_reactor::withdraw(int descriptor) noexcept {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

int epoll_reactor::wait(bool sleeps, operation_list& finished) {
  const int most = static_cast<int>(events_.size());
  const int count = ::epoll_wait(epoll_, events_.data(), most, sleeps ? -1 : 0);
  for (int i = 0; i < count; ++i) {
    const auto& event = events_[static_cast<std::size_t>(i)];
    became_ready(event.data.fd, (event.events & EPOLLIN) != 0, (event.events & EPOLLOUT) != 0,
                 (event.events & raise_doubt) != 0, finished);
  }
  full_poll_ = count == most ? events_.size() : 0;
  return count < 0 ? -errno : count;
}

}  // namespace fibers
