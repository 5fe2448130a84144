// ring_waiter: which descriptors are ready, asked of io_uring; the same members as epoll_waiter.
//
// For large messages a poll on the ring, then recv and send, cost less than requests that move the
// bytes: those take a buffer from among many, which are no longer in the cache, and a send that
// finds no room is done twice.
#pragma once

#include <bench/floor/ring.hpp>
#include <bench/floor/waiter.hpp>

#include <poll.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace bench {

class ring_waiter {
 public:
  static constexpr bool edge_triggered = true;

  explicit ring_waiter(const server_options& options) : ring_{options, 1} {}

  // A poll looks at the descriptor when it is submitted, so submitting it anew in each wait makes
  // it level-triggered.
  void watch(int fd) {
    known(fd).level = true;
    poll(fd, 0, POLLIN);
  }
  void unwatch(int fd) { forget(fd); }

  // Edge-triggered: a multishot poll completes each time that something happens.
  void connected(int fd) { poll(fd, IORING_POLL_ADD_MULTI, POLLIN | POLLRDHUP); }
  void expect_writable(int fd) {
    known(fd).writing = true;
    poll(fd, IORING_POLL_ADD_MULTI, POLLOUT);
  }
  void expect_readable(int fd) {
    known(fd).writing = false;
    remove(fd, POLLOUT);
  }
  // A poll keeps the connection open, so the kernel must hear of the end before close().
  void closing(int fd) {
    forget(fd);
    ring_.submit();
  }

  bool wait(bool block) {
    for (const auto& [fd, generation] : std::exchange(again_, {}))
      if (known(fd).generation == generation) poll(fd, 0, POLLIN);
    if (block) {
      ring_.sleep();
    } else {
      ring_.submit();
    }
    events_.clear();
    ring_.harvest([this](const io_uring_cqe& what) {
      if (what.user_data != removal) completed(what);
    });
    return !events_.empty();
  }

  template <typename Ready>
  void each(Ready ready) {
    for (const auto& [fd, generation, found] : events_)
      if (known(fd).generation == generation) ready(fd, found);
  }

 private:
  static constexpr std::uint64_t removal = ~std::uint64_t{0};
  static constexpr std::uint64_t out = std::uint64_t{1} << 63;

  struct watched {
    std::uint32_t generation = 0;  // of 31 bits; tells the owners of a descriptor number apart
    bool level = false;
    bool writing = false;
  };
  struct once_more {
    int fd;
    std::uint32_t generation;
  };
  struct event {
    int fd;
    std::uint32_t generation;
    readiness found;
  };

  watched& known(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= watched_.size()) watched_.resize(2 * index + 1);
    return watched_[index];
  }
  std::uint64_t tag(int fd, unsigned events) {
    return (events == POLLOUT ? out : 0) | std::uint64_t{known(fd).generation} << 32 |
           static_cast<std::uint32_t>(fd);
  }
  void poll(int fd, unsigned flags, unsigned events) {
    auto& submission = ring_.next();
    io_uring_prep_poll_add(&submission, fd, events);
    submission.len = flags;
    submission.user_data = tag(fd, events);
  }
  // A request to remove the poll would fail while an event of it is on its way. A cancellation does
  // not.
  void remove(int fd, unsigned events) {
    auto& submission = ring_.next();
    io_uring_prep_cancel64(&submission, tag(fd, events), 0);
    submission.user_data = removal;
  }
  void forget(int fd) {
    remove(fd, POLLIN);
    if (known(fd).writing) remove(fd, POLLOUT);
    const auto next = (known(fd).generation + 1) & 0x7fffffff;
    known(fd) = {.generation = next};
  }

  void completed(const io_uring_cqe& what) {
    const auto fd = static_cast<int>(static_cast<std::uint32_t>(what.user_data));
    const auto generation = static_cast<std::uint32_t>(what.user_data >> 32) & 0x7fffffff;
    if (known(fd).generation != generation || what.res < 0) return;
    const bool writes = (what.user_data & out) != 0;
    if (writes && !known(fd).writing) return;  // nobody waits for room any more
    if (known(fd).level) {
      again_.push_back({fd, generation});
    } else if ((what.flags & IORING_CQE_F_MORE) == 0) {
      poll(fd, IORING_POLL_ADD_MULTI, writes ? POLLOUT : POLLIN | POLLRDHUP);
    }
    events_.push_back({fd,
                       generation,
                       {.readable = !writes,
                        .writable = writes,
                        .hung_up = (what.res & (POLLRDHUP | POLLHUP | POLLERR)) != 0}});
  }

  floor_ring ring_;
  std::vector<watched> watched_;  // index: descriptor
  std::vector<once_more> again_;
  std::vector<event> events_;
};

}  // namespace bench
