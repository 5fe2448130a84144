#include <fibers/reactors/select.hpp>

#include <fcntl.h>
#include <sys/select.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <climits>
#include <new>

namespace fibers {
namespace {

constexpr std::size_t bits = sizeof(unsigned long) * CHAR_BIT;

std::size_t word_of(int descriptor) {
  return static_cast<std::size_t>(descriptor) / bits;
}
unsigned long bit_of(int descriptor) {
  return 1UL << (static_cast<std::size_t>(descriptor) % bits);
}

}  // namespace

select_reactor::select_reactor() : readiness{trigger::level} {
  for (const int own : {interrupt_descriptor(), timer_descriptor()}) {
    if (enroll(own) != 0) throw std::bad_alloc{};
    watch(own, direction::read);
  }
}

// wanted_readable_ grows last: if memory runs out, it has no more words than the others.
int select_reactor::enroll(int descriptor) noexcept try {
  const auto words = word_of(descriptor) + 1;
  if (words <= wanted_readable_.size()) return 0;
  for (auto* map : {&readable_, &writable_, &wanted_writable_, &wanted_readable_}) {
    map->resize(words);
  }
  return 0;
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

void select_reactor::watch(int descriptor, direction which) noexcept {
  wanted(which)[word_of(descriptor)] |= bit_of(descriptor);
}

void select_reactor::unwatch(int descriptor, direction which) noexcept {
  wanted(which)[word_of(descriptor)] &= ~bit_of(descriptor);
}

int select_reactor::wait(bool sleeps, operation_list& finished) {
  std::ranges::copy(wanted_readable_, readable_.begin());
  std::ranges::copy(wanted_writable_, writable_.begin());
  timeval no_time{};
  const int count = ::select(
      static_cast<int>(wanted_readable_.size() * bits), reinterpret_cast<fd_set*>(readable_.data()),
      reinterpret_cast<fd_set*>(writable_.data()), nullptr, sleeps ? nullptr : &no_time);
  if (count < 0) return errno == EBADF ? fail_closed(finished) : -errno;
  for (std::size_t i = 0; i < wanted_readable_.size(); ++i) {
    for (auto left = readable_[i] | writable_[i]; left != 0; left &= left - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(left));
      const auto mask = 1UL << bit;
      const auto descriptor = static_cast<int>(i * bits + bit);
      if (descriptor == interrupt_descriptor()) absorb_interrupt();
      became_ready(descriptor, (readable_[i] & mask) != 0, (writable_[i] & mask) != 0, false,
                   finished);
    }
  }
  return count;
}

// A descriptor was closed while a fiber waits for it. select() fails with EBADF until it is
// removed. The operations on it are tried, and fail. If it is one of the reactor's own, returns
// -EBADF, else 0.
int select_reactor::fail_closed(operation_list& finished) {
  for (const int own : {interrupt_descriptor(), timer_descriptor()}) {
    if (::fcntl(own, F_GETFD) < 0) return -EBADF;
  }
  for (std::size_t i = 0; i < wanted_readable_.size(); ++i) {
    for (auto left = wanted_readable_[i] | wanted_writable_[i]; left != 0; left &= left - 1) {
      const auto descriptor = static_cast<int>(i * bits) + std::countr_zero(left);
      if (::fcntl(descriptor, F_GETFD) < 0) became_ready(descriptor, true, true, false, finished);
    }
  }
  return 0;
}

}  // namespace fibers
