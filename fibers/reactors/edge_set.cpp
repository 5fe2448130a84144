#include <fibers/reactors/edge_set.hpp>

#include <unistd.h>

#include <utility>

namespace fibers {

bool edge_set::open() noexcept {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  return epoll_ >= 0;
}

void edge_set::close() noexcept {
  if (epoll_ >= 0) ::close(std::exchange(epoll_, -1));
}

bool edge_set::add(int descriptor) noexcept {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;
  event.data.fd = descriptor;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void edge_set::remove(int descriptor) noexcept {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

std::span<const epoll_event> edge_set::take() noexcept {
  const int count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 0);
  return std::span{events_}.first(count > 0 ? static_cast<std::size_t>(count) : 0);
}

}  // namespace fibers
