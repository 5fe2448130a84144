// readiness: "try; if it would block, wait and try again", for kernels that only say when to try.
//
// Shared by select_reactor, poll_reactor and epoll_reactor, which differ in how they learn what is
// ready and in nothing else. For each descriptor it remembers whether trying is worth a system
// call. A short read means the socket is drained, so the next receive waits without trying: one
// echoed message costs one recv, one send and its share of one wait. Three things make that
// doubtful: a hang-up, for data and the end of the stream can come as one event; urgent data, where
// a read stops; and descriptors that come with the bytes of a Unix-domain socket, where it stops as
// well. After them only a try that would block proves that the socket is drained.
#pragma once

#include <fibers/reactor.hpp>
#include <fibers/reactors/timer_descriptor.hpp>

#include <vector>

namespace fibers {

class readiness : public reactor {
 public:
  ~readiness() override;

  int adopt(int descriptor) noexcept final;
  void forget(int descriptor) noexcept final;
  bool submit(operation& started) final;
  ssize_t send_at_once(int descriptor, const void* data, std::size_t size) noexcept final;
  bool may_receive(int descriptor) const noexcept final;
  bool cancel(operation& cancelled) noexcept final;
  void cancel_all(int descriptor) noexcept final;
  void poll(time_point deadline, operation_list& finished) final;
  void interrupt() noexcept final;

 protected:
  enum class direction { read, write };

  // `level`: events come as long as there is something to do, so watch() and unwatch() matter.
  enum class trigger { level, edge };
  explicit readiness(trigger how);

  // --- what a backend adds -------------------------------------------------------------------

  // A descriptor is new. Returns an errno value.
  virtual int enroll(int descriptor) noexcept = 0;
  // Reports each event by became_ready(), and how many there were. `sleeps`: waits for the first.
  virtual int wait(bool sleeps, operation_list& finished) = 0;
  // A pending operation waits for, or does not wait any more for, this direction. Where events are
  // edges watch() is called once for room to write, when there was none for the first time: who
  // asks for it from the start is told so of every new descriptor, and on Unix-domain sockets of
  // everything that the peer reads. For reading it is called where an accept waits, and changes to
  // levels, so that no accept is tried that is known to fail; unwatch() changes back.
  virtual void watch(int, direction) noexcept {}
  virtual void unwatch(int, direction) noexcept {}
  // Where events are edges: those of this descriptor are nobody's.
  virtual void withdraw(int) noexcept {}

  // --- what a backend calls ------------------------------------------------------------------

  // Tries the operations that wait for it. No fiber runs in the middle of a scan, so none can close
  // a descriptor whose event is still to come.
  // `doubtful`: a hang-up, an error or urgent data.
  void became_ready(int descriptor, bool readable, bool writable, bool doubtful,
                    operation_list& finished) noexcept;
  int interrupt_descriptor() const noexcept { return interrupt_; }
  int timer_descriptor() const noexcept { return timer_.get(); }
  void absorb_interrupt() noexcept;

 private:
  // What is known of a descriptor. Half a cache line, and a power of two: it is looked up three
  // times a message.
  struct alignas(32) entry {
    operation*& waiting(direction which) noexcept { return operations[index(which)]; }
    bool& ready(direction which) noexcept { return flags[index(which)]; }
    static std::size_t index(direction which) noexcept { return which == direction::read ? 0 : 1; }

    operation* operations[2] = {};  // that wait, at most one a direction
    bool flags[2] = {false, true};  // trying may succeed; a new socket has room to write
    bool doubtful = false;          // a short read proves nothing
    bool local = false;             // of the Unix domain, and events are edges
    bool room_watched = false;
    bool level = false;    // events are edges, but not this descriptor's: it listens
    bool adopted = false;  // else its events come only while an operation waits
  };

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
  bool attempt_receive(operation& tried, entry& from) noexcept;
  bool failed(operation& tried) noexcept;
  void give_back(entry& of, direction which, operation_list& finished) noexcept;

  std::vector<entry> entries_;  // by descriptor; an accept may lengthen it
  operation_list forgotten_;    // to be given back by the next poll
  class timer_descriptor timer_;
  int interrupt_;  // an eventfd
  const bool watches_;
};

}  // namespace fibers
