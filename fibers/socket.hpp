// socket: what streams and listeners have in common: a descriptor, its scheduler, a time limit.
#pragma once

#include <fibers/scheduler.hpp>

#include <sys/socket.h>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>

namespace fibers {

using boost::system::error_code;

// A descriptor, the scheduler that waits for it, and how long it may wait. The scheduler must
// outlive it, or its close().
class socket {
 public:
  // Only while no fiber is in a call on it.
  socket(socket&& other) noexcept;
  socket& operator=(socket&& other) noexcept;
  ~socket() { close(); }

  // From now on every call on this socket fails with timed_out when it is not done by then; what
  // arrives in the same moment is delivered. No time left is a deadline too.
  void expires_after(clock::duration from_now) { limit_.after(from_now, owner().timers()); }
  void expires_at(clock::time_point moment) { limit_.at(moment, owner().timers()); }
  void expires_never() noexcept { limit_.never(); }

  // The same once no byte was received or sent for `period`, and at most a sixteenth of it later.
  // For servers that must get rid of silent clients: a message then costs a store.
  void expires_when_idle(clock::duration period) { limit_.when_idle(period, owner().timers()); }

  // Calls that other fibers are in end with operation_aborted. Closing twice is fine.
  void close() noexcept;
  // The same, except that the socket stays open and can be used.
  void cancel() noexcept;
  // Gives the descriptor, unclosed, to the caller, and is closed itself; calls that other fibers
  // are in end with operation_aborted. It may be non-blocking. With io_uring, bytes that have come
  // and were not read are gone, and what was written may be on its way: release after flush(), when
  // it is the caller's turn to speak.
  int release() noexcept;
  // The same under Asio's name.
  void close(error_code& error) noexcept {
    error = {};
    close();
  }

  bool is_open() const noexcept { return descriptor_ >= 0; }
  int native_handle() const noexcept { return descriptor_; }

  // Asio's options: stream.set_option(boost::asio::ip::tcp::no_delay{true}).
  template <class Option>
  void set_option(const Option& option, error_code& error) {
    const protocol mine{family()};
    set_option(option.level(mine), option.name(mine), option.data(mine), option.size(mine), error);
  }
  template <class Option>
  void set_option(const Option& option) {
    error_code error;
    set_option(option, error);
    if (error) throw boost::system::system_error{error, "set_option"};
  }

 protected:
  socket() = default;  // closed
  socket(scheduler& owner, int descriptor) noexcept : scheduler_{&owner}, descriptor_{descriptor} {}

  // Opens anew, for the current scheduler, and connects; what was open is closed, the limit stays.
  void connect(const sockaddr* peer, socklen_t length, error_code& error);

  // Makes a socket that was just opened listen. Returns an errno value; 0 is success.
  int listen(const sockaddr* local, socklen_t length, int backlog) noexcept;

  // Waits for a connection; its descriptor, or -1 and the error.
  int accept(error_code& error);

  static error_code code_of(int error) noexcept {
    return {error, boost::system::system_category()};
  }

  void set_option(int level, int name, const void* data, std::size_t size, error_code& error);
  void drop_descriptor() noexcept;
  // Makes a connected socket fit for the reactor of this thread. Throws system_error.
  static scheduler& adopt(int descriptor);

  time_limit limit_;
  scheduler* scheduler_ = nullptr;
  int descriptor_ = -1;

 private:
  // What Asio's options ask of a protocol.
  struct protocol {
    int number;
    int family() const { return number; }
  };
  int family() const noexcept;
  scheduler& owner() const { return is_open() ? *scheduler_ : scheduler::current(); }
  int connect_opened(const sockaddr* peer, socklen_t length);
  bool is_still(unsigned opened) const noexcept { return is_open() && opened_ == opened; }

  unsigned opened_ = 0;  // how often: after a wait it tells whether the descriptor is the same
};

}  // namespace fibers
