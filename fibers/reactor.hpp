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
// It knows no fibers: whoever submits an operation owns it, and it comes back by its address. The
// same contract holds where the kernel says only that one may try (select, poll, epoll) and where
// it does the operation itself (io_uring).
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/intrusive/slist.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fibers {

enum class io { automatic, select, poll, epoll, io_uring };

// In the order of `io`: "auto" comes first.
inline constexpr std::array<std::string_view, 5> io_names{"auto", "select", "poll", "epoll",
                                                          "io_uring"};

// "select"; automatic is "auto".
std::string_view name_of(io backend) noexcept;
// The reverse; nothing for a name that is none.
std::optional<io> io_named(std::string_view name) noexcept;

// One I/O request, on the stack of whoever waits for it. Between submit() and its completion it
// must not move or die; nor must the bytes it points to.
class operation : public boost::intrusive::slist_base_hook<
                      boost::intrusive::link_mode<boost::intrusive::normal_link>> {
 public:
  enum class kind : std::uint8_t {
    receive,        // result: bytes; 0 is the end of the stream
    accept,         // result: the new descriptor, close-on-exec and ready for this reactor
    wait_readable,  // without doing anything about it; on any descriptor, adopted or not
    send,           // result: bytes, at least one
    connect,        // to the address set
    wait_writable,
    wait_sent,  // until the kernel has all that was sent
  };

  enum class state : std::uint8_t {
    idle,      // with its owner
    pending,   // in the reactor's books
    finished,  // with its owner again, result() or error() set
  };

  operation(kind what, int descriptor) noexcept : kind_{what}, descriptor_{descriptor} {}
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;

  // What to receive into or send from. A kind that moves no bytes needs none.
  void buffer(void* data, std::size_t size) noexcept {
    data_ = data;
    size_ = size;
  }
  // The same in `count` parts of `size` bytes together.
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

  // One buffer, unless there are parts().
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
  // Small, and written sparingly: one is made for each call.
  kind kind_;
  state state_ = state::idle;
  std::uint16_t parts_ = 0;
  int descriptor_;
  int error_ = 0;
  void* data_ = nullptr;  // bytes, parts or an address, as kind_ and parts_ say
  std::size_t size_ = 0;
  std::size_t result_ = 0;
};

using operation_list = boost::intrusive::slist<operation, boost::intrusive::cache_last<true>,
                                               boost::intrusive::constant_time_size<false>>;

class reactor {
 public:
  virtual ~reactor() = default;

  virtual io backend() const noexcept = 0;

  // Makes a descriptor fit for operations of this reactor; only waiting needs none of it.
  // Descriptors that an accept operation gave are. Returns an errno value; 0 is success.
  virtual int adopt(int descriptor) noexcept = 0;

  // Must come before a descriptor is closed, so that whoever gets its number next does not get its
  // events. Pending operations on it finish with ECANCELED at the next poll.
  virtual void forget(int descriptor) noexcept = 0;

  // What was sent on a descriptor and has not left yet need not leave any more: to be called before
  // forget(), where the peer has had its time. Else it leaves after the close, as from the kernel's
  // own buffers.
  virtual void give_up_unsent(int) noexcept {}

  // Waits until the kernel has all that was sent, somebody interrupts, or nothing that was sent has
  // gone for a second. For whoever has no operations pending. True: somebody interrupted.
  virtual bool drain() noexcept { return false; }

  // Pending operations on a descriptor finish with ECANCELED at the next poll; it stays known.
  virtual void cancel_all(int descriptor) noexcept = 0;

  // Starts an operation. True: it is finished already. False: poll() will give it back. Two
  // operations in one direction on one descriptor are one too many: the second fails with EBUSY.
  virtual bool submit(operation& started) = 0;

  // Sends without an operation what the kernel takes at once: how many bytes. 0: it needs an
  // operation. An errno value comes negated.
  virtual ssize_t send_at_once(int, const void*, std::size_t) noexcept { return 0; }

  // Whether a receive that is submitted now may find bytes without waiting, as far as is known.
  virtual bool may_receive(int) const noexcept { return false; }

  // Takes back a pending operation. True: it is its owner's again, finished with ECANCELED. False:
  // somebody still holds its memory, and poll() will give it back.
  virtual bool cancel(operation& cancelled) noexcept = 0;

  // When poll() returns though nothing has happened. A moment and not a span: it can stay armed
  // from one poll to the next, and nobody has to read the clock before each.
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr auto at_once = time_point::min();
  static constexpr auto when_something_happens = time_point::max();

  // Waits until an operation finishes, somebody interrupts, or `deadline` has come. Appends what
  // finished. Throws std::system_error.
  virtual void poll(time_point deadline, operation_list& finished) = 0;

  // Makes a poll() that is waiting, or else the next one, return. The one member that any thread
  // may call.
  virtual void interrupt() noexcept = 0;

  // Something is under way that only poll() moves, even though no operation is pending.
  bool must_poll() const noexcept { return must_poll_; }

 protected:
  bool must_poll_ = false;
};

}  // namespace fibers
