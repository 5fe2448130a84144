// edge_set: descriptors whose events come once per change (an edge-triggered epoll set).
//
//     if (edges.open() && edges.add(descriptor)) ...  // instead of the level-triggered set
//     ... edges.get() is readable: for (const auto& event : edges.take()) ...
//
// select and poll report a message in a socket's error queue (MSG_ZEROCOPY, SO_TIMESTAMPING,
// IP_RECVERR) at each call until the program reads it, whatever they were asked for. A fiber that
// waits for bytes would keep the loop busy. Such a descriptor moves here.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <span>

namespace fibers {

class edge_set {
 public:
  edge_set() = default;
  edge_set(const edge_set&) = delete;
  edge_set& operator=(const edge_set&) = delete;
  ~edge_set() { close(); }

  // False: no descriptor is left.
  bool open() noexcept;
  void close() noexcept;

  // Readable while there are events to take; -1 if the set is not open.
  int get() const noexcept { return epoll_; }

  // Reports what is true already, and then each change. False: the system has no room for it.
  bool add(int descriptor) noexcept;
  void remove(int descriptor) noexcept;

  // Some of the events; the others with the next call.
  std::span<const epoll_event> take() noexcept;

 private:
  int epoll_ = -1;
  std::array<epoll_event, 16> events_;
};

}  // namespace fibers
