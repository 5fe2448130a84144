// reactor: operations go in, finished operations come out.
//
//     operation receive{operation::kind::receive, fd};
//     receive.buffer(data, size);
//     if (!reactor->submit(receive)) {
//       operation_list finished;
//       reactor->poll(deadline, finished);   // receive is in it once it is done
//     }
//     receive.result()                    // bytes, or receive.error()
//
// A reactor knows no fibers. The caller owns the operation, and poll() returns it by address. The
// contract is the same for readiness interfaces (select, poll, epoll), where the kernel says when
// to try, and for completion interfaces (io_uring), where the kernel does the operation.
#pragma once

#include <fibers/time/clock.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/intrusive/slist.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fibers {

enum class io { automatic, select, poll, epoll, io_uring };

// In the order of the values of `io`.
inline constexpr std::array<std::string_view, 5> io_names{"auto", "select", "poll", "epoll",
                                                          "io_uring"};

// The backend's name in io_names, such as "select"; "unknown" for a value outside of `io`.
std::string_view name_of(io backend) noexcept;
// The backend of that name; nothing if there is none.
std::optional<io> io_named(std::string_view name) noexcept;

// One I/O request, on the stack of the code that waits for it. From submit() until it finishes,
// neither the operation nor the bytes it points to may move or be destroyed.
class operation : public boost::intrusive::slist_base_hook<
                      boost::intrusive::link_mode<boost::intrusive::normal_link>> {
 public:
  enum class kind : std::uint8_t {
    receive,        // result: bytes; 0 is the end of the stream
    accept,         // result: the new descriptor, close-on-exec and ready for this reactor
    wait_readable,  // moves no bytes; on any descriptor, adopted or not
    send,           // result: bytes, at least one
    connect,        // to address()
    wait_writable,  // moves no bytes; on any descriptor, adopted or not
    wait_sent,      // until the kernel has all bytes that were sent
  };

  enum class state : std::uint8_t {
    idle,      // not submitted yet
    pending,   // submitted; the reactor points to it
    finished,  // its owner's again; result() or error() is set
  };

  operation(kind what, int descriptor) noexcept : kind_{what}, descriptor_{descriptor} {}
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;

  // The memory to receive into or to send from. Kinds that move no bytes need none.
  void buffer(void* data, std::size_t size) noexcept {
    data_ = data;
    size_ = size;
  }
  // The same, in `count` parts that have `size` bytes together.
  void buffers(const iovec* first, std::size_t count, std::size_t size) noexcept {
    data_ = const_cast<iovec*>(first);
    size_ = size;
    parts_ = static_cast<std::uint16_t>(count);
  }
  void address(const sockaddr* to, socklen_t length) noexcept {
    data_ = const_cast<sockaddr*>(to);
    size_ = length;
  }

  kind what() const noexcept { return kind_; }
  int descriptor() const noexcept { return descriptor_; }
  state status() const noexcept { return state_; }
  bool finished() const noexcept { return state_ == state::finished; }

  // Bytes or a descriptor; 0 if error() is set.
  std::size_t result() const noexcept { return result_; }
  // An errno value; 0 is success.
  int error() const noexcept { return error_; }

  // --- for reactors --------------------------------------------------------------------------

  // The memory of the only buffer; if parts() is not 0, first_part() instead.
  void* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t parts() const noexcept { return parts_; }
  const iovec* first_part() const noexcept { return static_cast<const iovec*>(data_); }
  const sockaddr* address() const noexcept { return static_cast<const sockaddr*>(data_); }

  bool reads() const noexcept { return kind_ <= kind::wait_readable; }

  void pend() noexcept { state_ = state::pending; }
  void finish(std::size_t result) noexcept {
    result_ = result;
    state_ = state::finished;
  }
  void fail(int error) noexcept {
    error_ = error;
    state_ = state::finished;
  }

 private:
  // Small and with few stores, since every call constructs one.
  kind kind_;
  state state_ = state::idle;
  std::uint16_t parts_ = 0;
  int descriptor_;
  int error_ = 0;
  void* data_ = nullptr;  // bytes, parts or an address, depending on kind_ and parts_
  std::size_t size_ = 0;
  std::size_t result_ = 0;
};

using operation_list = boost::intrusive::slist<operation, boost::intrusive::cache_last<true>,
                                               boost::intrusive::constant_time_size<false>>;

class reactor {
 public:
  virtual ~reactor() = default;

  virtual io backend() const noexcept = 0;

  // Prepares a descriptor for operations of this reactor. Only waiting for readiness works without
  // it. Descriptors from an accept operation are adopted already. Returns an errno value; 0 is
  // success.
  virtual int adopt(int descriptor) noexcept = 0;

  // Must be called before a descriptor is closed, so that the next owner of the same number gets
  // none of its events. Pending operations on it finish with ECANCELED at the next poll().
  virtual void forget(int descriptor) noexcept = 0;

  // forget() for a descriptor with which other code goes on. Returns an errno value; 0 is success.
  // EAGAIN: bytes or connections have come that were not read or accepted, and the reactor has
  // them; they can still be. EBUSY: sent bytes are still here; wait_sent waits for them. On failure
  // the descriptor stays adopted. Pending operations on it finish with ECANCELED in any case.
  virtual int hand_over(int descriptor) noexcept {
    forget(descriptor);
    return 0;
  }

  // Lets forget() drop what was sent on a descriptor and is still unsent. Call it before forget()
  // if the peer has had its time. Otherwise the rest is sent after the close, as it is from the
  // kernel's socket buffer.
  virtual void give_up_unsent(int) noexcept {}

  // Waits until the kernel has all sent bytes, interrupt() is called, or no send has completed for
  // one second. Returns whether interrupt() ended it. Precondition: no operation is pending.
  virtual bool drain() noexcept { return false; }

  // Pending operations on a descriptor finish with ECANCELED at the next poll(). The descriptor
  // stays adopted.
  virtual void cancel_all(int descriptor) noexcept = 0;

  // Starts an operation. True: it has finished already. False: poll() will return it. A descriptor
  // has at most one pending operation per direction; a second one fails with EBUSY.
  virtual bool submit(operation& started) = 0;

  // Sends what the kernel takes at once, without an operation. Returns the number of bytes, a
  // negated errno value, or 0 if this needs an operation.
  virtual ssize_t send_at_once(int, const void*, std::size_t) noexcept { return 0; }

  // Call this after the stream was shut down for sending: later sends fail with EPIPE, also where a
  // reactor copies the bytes before the kernel could refuse them.
  virtual void no_more_sends(int) noexcept {}

  // True: sent bytes are still here. The reactor shuts the stream down for sending once the kernel
  // has them, and later sends fail with EPIPE already. False: there are none, so the caller does.
  virtual bool shut_down_when_sent(int) noexcept { return false; }

  // Call this when a receive has found the end of the stream. If a send has met an error that ended
  // the connection, returns that error, once; else 0. The kernel tells such an error to one call
  // only, and to the others the stream then looks as if the peer had ended it.
  virtual int why_ended(int) noexcept { return 0; }

  // Whether a receive submitted now may find bytes without waiting. False may be wrong.
  virtual bool may_receive(int) const noexcept { return false; }

  // How many bytes have come that were not read and are no longer in the kernel.
  virtual std::size_t unread(int) const noexcept { return 0; }

  // Cancels a pending operation. True: the operation has finished with ECANCELED and is its owner's
  // again. False: poll() will return it; until then its memory must stay.
  virtual bool cancel(operation& cancelled) noexcept = 0;

  // When poll() returns even if nothing has happened. It is a point in time and not a duration, so
  // that a timer can stay armed from one poll() to the next without a look at the clock before
  // each.
  using time_point = clock::time_point;
  static constexpr auto at_once = time_point::min();
  static constexpr auto when_something_happens = time_point::max();

  // Waits until an operation finishes, interrupt() is called, or `deadline` has passed. Appends the
  // finished operations. Throws boost::system::system_error.
  virtual void poll(time_point deadline, operation_list& finished) = 0;

  // Called in a child process after fork(). Appends the operations that only poll() would have
  // given back. Afterwards only the destructor may be called, and neither disturbs the parent.
  virtual void abandon(operation_list& finished) noexcept = 0;

  // Makes the poll() that is waiting return, or else the next one. The only member that any thread
  // may call.
  virtual void interrupt() noexcept = 0;

  // Whether something is under way that only poll() moves on, even if no operation is pending.
  bool must_poll() const noexcept { return must_poll_; }

  // How many events the last poll() took if that is the most that it takes at a time, so that more
  // may wait; otherwise 0.
  std::size_t full_poll() const noexcept { return full_poll_; }

  // How many connections a fiber accepts in a row before the others run: each is mostly a new
  // fiber, with a stack that nobody has touched yet and bytes to read.
  int most_accepts() const noexcept { return most_accepts_; }

 protected:
  // Whether the error of a send is one of the connection, and not of the call.
  static bool ends_connection(int error) noexcept;

  bool must_poll_ = false;
  std::size_t full_poll_ = 0;
  int most_accepts_ = 8;  // 1 to task_queue::longest_burst
};

}  // namespace fibers
