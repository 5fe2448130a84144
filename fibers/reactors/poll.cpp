#include <fibers/reactors/poll.hpp>

#include <algorithm>
#include <cerrno>
#include <new>

namespace fibers {

poll_reactor::poll_reactor() : readiness{trigger::level} {
  for (const int own : {interrupt_descriptor(), timer_descriptor()}) {
    if (enroll(own) != 0) throw std::bad_alloc{};
    watch(own, direction::read);
  }
}

// Reserves memory, so that watch() does not allocate.
int poll_reactor::enroll(int descriptor) noexcept try {
  const auto needed = static_cast<std::size_t>(descriptor) + 1;
  if (needed <= places_.size()) return 0;
  const auto size = std::max(needed, places_.size() * 2);
  wanted_.reserve(size);
  answers_.reserve(size);
  places_.resize(size, nowhere);
  return 0;
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

void poll_reactor::watch(int descriptor, direction which) noexcept {
  auto& place = places_[static_cast<std::size_t>(descriptor)];
  if (place == nowhere) {
    place = wanted_.size();
    wanted_.push_back({descriptor, 0, 0});
  }
  wanted_[place].events |= which == direction::read ? POLLIN : POLLOUT;
}

void poll_reactor::unwatch(int descriptor, direction which) noexcept {
  auto& place = places_[static_cast<std::size_t>(descriptor)];
  if (place == nowhere) return;
  auto& watched = wanted_[place];
  watched.events =
      static_cast<short>(watched.events & ~(which == direction::read ? POLLIN : POLLOUT));
  if (watched.events != 0) return;
  watched = wanted_.back();
  places_[static_cast<std::size_t>(watched.fd)] = place;
  wanted_.pop_back();
  place = nowhere;
}

int poll_reactor::wait(bool sleeps, operation_list& finished) {
  answers_ = wanted_;
  const int count = ::poll(answers_.data(), answers_.size(), sleeps ? -1 : 0);
  if (count < 0) return -errno;
  // The reactor's own descriptors are the first two. Somebody else has closed one.
  if (((answers_[0].revents | answers_[1].revents) & POLLNVAL) != 0) return -EBADF;
  int left = count;
  for (std::size_t i = 0; left > 0 && i < answers_.size(); ++i) {
    const auto& answer = answers_[i];
    if (answer.revents == 0) continue;
    --left;
    if (answer.fd == interrupt_descriptor()) absorb_interrupt();
    became_ready(answer.fd, (answer.revents & (POLLIN | POLLPRI)) != 0,
                 (answer.revents & POLLOUT) != 0,
                 (answer.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0, finished);
  }
  return count;
}

}  // namespace fibers
