// waiter: which descriptors are ready; one class asks epoll, the other asks select.
//
//     epoll_waiter waiter{options};
//     waiter.watch(listener);
//     waiter.wait(true);                                   // until one is ready; false: polls
//     waiter.each([](int fd, readiness now) { ... });      // calls it for each ready descriptor
//
// Both classes have the same members in the same order. floor_loop is a template over them, so
// there is no virtual call.
#pragma once

#include <bench/contract/contract.hpp>

#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

struct readiness {
  bool readable = false;
  bool writable = false;
  bool hung_up = false;  // reported once: then read until the end of stream
};

// Edge-triggered epoll needs one epoll_ctl when a connection arrives and none afterwards, and the
// kernel does not look again at sockets that were just served. In return the loop must remember
// which sockets may hold unread bytes.
class epoll_waiter {
 public:
  static constexpr bool edge_triggered = true;

  explicit epoll_waiter(const server_options&) : epoll_{epoll_create1(EPOLL_CLOEXEC)} {}
  ~epoll_waiter() { close(epoll_); }
  epoll_waiter(const epoll_waiter&) = delete;
  epoll_waiter& operator=(const epoll_waiter&) = delete;

  // Level-triggered, for the listener, the timer and the signal: reported in every wait until
  // served or unwatched.
  void watch(int fd) { control(EPOLL_CTL_ADD, fd, EPOLLIN); }
  void unwatch(int fd) { control(EPOLL_CTL_DEL, fd, 0); }

  // Edge-triggered, for connections. EPOLLOUT is added only while a reply waits for room.
  void connected(int fd) { control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLET); }
  void expect_writable(int fd) {
    control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET);
  }
  void expect_readable(int) {}  // EPOLLOUT stays set: an edge is reported once
  void closing(int) {}          // close() removes the descriptor from the epoll set

  bool wait(bool block) {
    count_ = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), block ? -1 : 0);
    return count_ > 0;
  }

  template <typename Ready>
  void each(Ready ready) {
    for (int i = 0; i < count_; ++i) {
      const auto& event = events_[static_cast<std::size_t>(i)];
      const auto any = [&](std::uint32_t bits) { return (event.events & bits) != 0; };
      ready(event.data.fd, readiness{.readable = any(EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR),
                                     .writable = any(EPOLLOUT | EPOLLHUP | EPOLLERR),
                                     .hung_up = any(EPOLLRDHUP | EPOLLHUP | EPOLLERR)});
    }
  }

 private:
  void control(int operation, int fd, std::uint32_t bits) {
    epoll_event event{};
    event.events = bits;
    event.data.fd = fd;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  int epoll_;
  int count_ = 0;  // -1 where a signal interrupted the wait
  std::array<epoll_event, 256> events_;
};

// A bitmap that grows to the highest descriptor. FD_SETSIZE limits the C library's fd_set, not the
// kernel, so FD_SET is not used and descriptors from 1024 on work as well.
class descriptor_set {
 public:
  static constexpr std::size_t word_bits = sizeof(unsigned long) * CHAR_BIT;

  void insert(int fd) {
    words_.resize(std::max(words_.size(), index(fd) + 1));
    words_[index(fd)] |= bit(fd);
  }
  bool erase(int fd) {
    if (index(fd) >= words_.size() || (words_[index(fd)] & bit(fd)) == 0) return false;
    words_[index(fd)] &= ~bit(fd);
    return true;
  }
  void copy_from(const descriptor_set& other, std::size_t words) {
    words_.resize(words);
    const auto end =
        std::copy_n(other.words_.begin(), std::min(words, other.words_.size()), words_.begin());
    std::fill(end, words_.end(), 0);
  }
  std::size_t words() const { return words_.size(); }
  unsigned long word(std::size_t at) const { return words_[at]; }
  fd_set* native() { return reinterpret_cast<fd_set*>(words_.data()); }

 private:
  static std::size_t index(int fd) { return static_cast<std::size_t>(fd) / word_bits; }
  static unsigned long bit(int fd) { return 1UL << (static_cast<std::size_t>(fd) % word_bits); }

  std::vector<unsigned long> words_;
};

class select_waiter {
 public:
  static constexpr bool edge_triggered = false;

  explicit select_waiter(const server_options&) {}

  void watch(int fd) { reading_.insert(fd); }
  void unwatch(int fd) { reading_.erase(fd); }

  void connected(int fd) { reading_.insert(fd); }
  void expect_writable(int fd) {
    reading_.erase(fd);
    writing_.insert(fd);
    ++writers_;
  }
  void expect_readable(int fd) {
    if (writing_.erase(fd)) --writers_;
    reading_.insert(fd);
  }
  void closing(int fd) {
    if (writing_.erase(fd)) --writers_;
    reading_.erase(fd);
  }

  bool wait(bool block) {
    timeval at_once{};
    const auto words = std::max(reading_.words(), writing_.words());
    readable_.copy_from(reading_, words);
    writable_.copy_from(writing_, writers_ ? words : 0);
    count_ = select(static_cast<int>(words * descriptor_set::word_bits), readable_.native(),
                    writers_ ? writable_.native() : nullptr, nullptr, block ? nullptr : &at_once);
    return count_ > 0;
  }

  template <typename Ready>
  void each(Ready ready) {
    if (count_ <= 0) return;
    for (std::size_t at = 0; at < readable_.words(); ++at) {
      const auto can_read = readable_.word(at);
      const auto can_write = writable_.words() ? writable_.word(at) : 0;
      for (auto bits = can_read | can_write; bits != 0; bits &= bits - 1) {
        const auto lowest = bits & -bits;
        const auto first = static_cast<int>(at * descriptor_set::word_bits);
        ready(first + std::countr_zero(bits), readiness{.readable = (can_read & lowest) != 0,
                                                        .writable = (can_write & lowest) != 0});
      }
    }
  }

 private:
  descriptor_set reading_;  // what select() is asked for
  descriptor_set writing_;
  int writers_ = 0;  // descriptors in writing_; 0: select() gets no set for writing
  int count_ = 0;
  descriptor_set readable_;  // what the last wait found
  descriptor_set writable_;
};

}  // namespace bench
