// readiness: try; if it would block, wait until the kernel says when, and try again.
//
// The base of select_reactor, poll_reactor and epoll_reactor, which differ only in how they learn
// what is ready. It remembers for each descriptor whether a try is worth a system call. A short
// read means that the socket is drained, so the next receive waits without trying. One echoed
// message costs one recv, one send and its share of one wait.
//
// In three cases a short read does not mean that: after a hang-up, because data and the end of the
// stream may come as one event; at urgent data, where a read stops; and on a Unix-domain socket at
// bytes that carry descriptors (SCM_RIGHTS), where a read stops as well. Then the socket is drained
// only once a try fails with EAGAIN.
//
// If a descriptor is reported and the operation that waits for it would still block, the event is
// about something else, and select and poll would repeat it. The descriptor moves to an edge_set.
#pragma once

#include <fibers/reactor.hpp>
#include <fibers/reactors/edge_set.hpp>
#include <fibers/reactors/timer_descriptor.hpp>

#include <cstdint>
#include <vector>

namespace fibers {

class readiness : public reactor {
 public:
  ~readiness() override;

  int adopt(int descriptor) noexcept final;
  void forget(int descriptor) noexcept final;
  bool submit(operation& started) final;
  ssize_t send_at_once(int descriptor, const void* data, std::size_t size) noexcept final;
  void no_more_sends(int descriptor) noexcept final;
  int why_ended(int descriptor) noexcept final;
  bool may_receive(int descriptor) const noexcept final;
  bool cancel(operation& cancelled) noexcept final;
  void cancel_all(int descriptor) noexcept final;
  void poll(time_point deadline, operation_list& finished) final;
  void abandon(operation_list& finished) noexcept final;
  void interrupt() noexcept final;

 protected:
  enum class direction { read, write };

  // `level`: the kernel repeats an event while its condition holds, so a backend must implement
  // watch() and unwatch(). `edge`: it reports changes only.
  enum class trigger { level, edge };
  explicit readiness(trigger how);

  // --- what a backend adds -------------------------------------------------------------------

  // Called when a descriptor is new. Returns an errno value; 0 is success.
  virtual int enroll(int descriptor) noexcept = 0;
  // Calls became_ready() for each event and returns how many there were, or a negated errno value.
  // `sleeps`: waits for the first one.
  virtual int wait(bool sleeps, operation_list& finished) = 0;
  // watch() is called when a pending operation begins to wait for this direction, unwatch() when it
  // stops.
  //
  // With edge triggers the calls are rarer. watch() for writing is called once per descriptor, when
  // a send finds no room for the first time. Registering EPOLLOUT from the start would report every
  // new socket once, and each read of the peer on a Unix-domain socket. watch() for reading is
  // called when an accept begins to wait. It makes the descriptor level-triggered, so that no
  // accept is tried that is known to fail. unwatch() makes it edge-triggered again.
  virtual void watch(int descriptor, direction which) noexcept = 0;
  virtual void unwatch(int descriptor, direction which) noexcept = 0;
  // With edge triggers: stops reporting the events of this descriptor.
  virtual void withdraw(int) noexcept {}

  // --- what a backend calls ------------------------------------------------------------------

  // Tries the operations that wait for this event. No fiber runs during the scan of the events, so
  // none can close a descriptor whose event is still to come. `doubtful`: a hang-up, an error or
  // urgent data.
  void became_ready(int descriptor, bool readable, bool writable, bool doubtful,
                    operation_list& finished) noexcept;
  int interrupt_descriptor() const noexcept { return interrupt_; }
  int timer_descriptor() const noexcept { return timer_.get(); }
  void absorb_interrupt() noexcept;

 private:
  // What the reactor knows of a descriptor. It is looked up three times per message, so it fills
  // half a cache line and its size is a power of two.
  struct alignas(32) entry {
    operation*& waiting(direction which) noexcept { return operations[index(which)]; }
    bool& ready(direction which) noexcept { return flags[index(which)]; }
    static std::size_t index(direction which) noexcept { return which == direction::read ? 0 : 1; }

    operation* operations[2] = {};  // pending; at most one per direction
    bool flags[2] = {false, true};  // trying may succeed; a new socket has room to write
    bool doubtful = false;          // a short read does not mean that the socket is drained
    bool local = false;             // a Unix-domain socket, and events are edges
    bool room_watched = false;      // watch() was called for writing
    bool level = false;       // events are edges, but level for this listener: an accept waits
    bool adopted = false;     // if not, it is registered only while an operation waits
    bool edges_only = false;  // events are levels, but this descriptor is in edges_
    std::int16_t broken = 0;  // the error by which a send met the end of the connection
  };

  // So many accepts in successive polls hint at more connections than one per poll.
  static constexpr std::uint32_t many_accepts = 32;

  explicit readiness(bool watches) : watches_{watches} {
    // Each wait looks at all descriptors, so with many it takes a millisecond. Fewer accepts per
    // wait would be fewer than the connections that a storm brings meanwhile.
    if (watches) most_accepts_ = 32;
  }

  static direction direction_of(const operation& wanted) noexcept {
    return wanted.reads() ? direction::read : direction::write;
  }

  entry& at(int descriptor);
  entry& known(const operation& wanted) noexcept {
    return entries_[static_cast<std::size_t>(wanted.descriptor())];
  }
  int begin(int descriptor) noexcept;
  ssize_t accept(const operation& tried) noexcept;
  ssize_t call(const operation& tried) noexcept;
  ssize_t receive_from(const operation& tried, entry& from) noexcept;
  ssize_t receive_local(const operation& tried, entry& from) noexcept;
  bool attempt(operation& tried) noexcept;
  bool submit_stranger(operation& started);
  void wait_for(operation& started, entry& on) noexcept;
  bool wait_for_other(operation& started) noexcept;
  void ran_short(const operation& tried) noexcept;
  void calm(int descriptor) noexcept;
  void move_to_edges(int descriptor) noexcept;
  void take_edges(operation_list& finished) noexcept;
  bool attempt_receive(operation& tried, entry& from) noexcept;
  bool failed(operation& tried) noexcept;
  void expect_waited(int error) const;
  void give_back_forgotten(operation_list& finished) noexcept;
  static void note_broken(entry& of, int error) noexcept;
  void give_back(entry& of, direction which, operation_list& finished) noexcept;

  std::vector<entry> entries_;  // by descriptor; an accept may reallocate it
  operation_list forgotten_;    // the next poll() gives them back with ECANCELED
  class timer_descriptor timer_;
  edge_set edges_;
  int interrupt_ = -1;  // an eventfd
  std::uint32_t polls_ = 0;
  std::uint32_t accepted_in_ = 0;        // polls_ when a connection was accepted last
  std::uint32_t accepted_in_a_row_ = 0;  // in successive polls, since a try found none
  const bool watches_;                   // events are levels
};

}  // namespace fibers
