// socket: the common base of streams and listeners: a descriptor, its scheduler, a time limit.
#pragma once

#include <fibers/error.hpp>
#include <fibers/scheduler.hpp>

#include <sys/socket.h>

#include <cstddef>

namespace fibers {

// A descriptor, the scheduler that waits for it, and a time limit for that. The scheduler must
// outlive the socket, or at least its close().
class socket {
 public:
  // Precondition of a move: no fiber is in a call on either socket.
  socket(socket&& other) noexcept;
  socket& operator=(socket&& other) noexcept;
  // As close(): calls of other fibers on it end with operation_aborted, and do not touch it any
  // more.
  ~socket() { close(); }

  // From now on, every call on this socket that is not done by the deadline fails with timed_out.
  // Bytes that arrive in the same moment are delivered. expires_after(zero or less) passes at once.
  template <class Rep, class Period>
  void expires_after(const std::chrono::duration<Rep, Period>& from_now) {
    limit_.after(saturating_cast(from_now), owner().timers_);
  }
  template <class Clock, class Duration>
  void expires_at(const std::chrono::time_point<Clock, Duration>& moment) {
    limit_.at(deadline_at(moment), owner().timers_);
  }
  void expires_never() noexcept { limit_.never(); }

  // The same when no byte was received or sent for `period`, up to a sixteenth of it late. For
  // servers that must drop silent clients: it costs a store per message.
  template <class Rep, class Period>
  void expires_when_idle(const std::chrono::duration<Rep, Period>& period) {
    limit_.when_idle(saturating_cast(period), owner().timers_);
  }

  // Closes the descriptor. Calls of other fibers on it end with operation_aborted. A second close()
  // has no effect.
  void close() noexcept;
  // Ends the calls of other fibers with operation_aborted. The socket stays open and can be used.
  void cancel() noexcept;

  // Takes over an open socket: a connected one for a stream, a listening one for a listener, such
  // as one that a parent process has opened. Until it is released or closed, use the descriptor
  // only through this object. Fails with already_open if this socket is open, with EPROTOTYPE or
  // EPROTONOSUPPORT for a socket that keeps the limits of messages (SOCK_DGRAM, SOCK_SEQPACKET,
  // SCTP), with ENOTSOCK for what is no socket, and with EINVAL for a listening socket as a stream
  // or one that does not listen as a listener. After a failure the descriptor is still the
  // caller's.
  void assign(int descriptor, error_code& error);
  void assign(int descriptor);

  // Returns the descriptor without closing it, and closes the socket; -1 if it is closed already.
  // The calls of other fibers end with operation_aborted. Nothing is lost: it waits until the
  // kernel has all bytes that were sent. With io_uring it fails with try_again if bytes or
  // connections have come that were not read or accepted. Read or accept them, and call it again.
  // After a failure it returns -1, and the socket is still open. The descriptor may be
  // non-blocking.
  [[nodiscard]] int release(error_code& error);
  [[nodiscard]] int release();

  // close() under Asio's name.
  void close(error_code& error) noexcept {
    error = {};
    close();
  }

  bool is_open() const noexcept { return descriptor_ >= 0; }
  int native_handle() const noexcept { return descriptor_; }

  // Sets one of Asio's options: stream.set_option(boost::asio::ip::tcp::no_delay{true}).
  template <class Option>
  void set_option(const Option& option, error_code& error) {
    const protocol mine{family()};
    set_option(option.level(mine), option.name(mine), option.data(mine), option.size(mine), error);
  }
  template <class Option>
  void set_option(const Option& option) {
    error_code error;
    set_option(option, error);
    if (error) throw_error(error, "set_option");
  }

  // Reads one of Asio's options:
  //     boost::asio::socket_base::receive_buffer_size size;
  //     stream.get_option(size);
  template <class Option>
  void get_option(Option& option, error_code& error) const {
    const protocol mine{family()};
    auto size = option.size(mine);
    get_option(option.level(mine), option.name(mine), option.data(mine), size, error);
    if (!error) option.resize(mine, size);
  }
  template <class Option>
  void get_option(Option& option) const {
    error_code error;
    get_option(option, error);
    if (error) throw_error(error, "get_option");
  }

 protected:
  enum class role : bool { stream, listener };
  explicit socket(role mine) noexcept : role_{mine} {}  // closed
  socket() = default;                                   // a stream, closed
  socket(scheduler& owner, int descriptor) noexcept : scheduler_{&owner}, descriptor_{descriptor} {}

  // Opens a new socket, as open(), and connects it. Closes it again if that fails or the fiber is
  // cancelled.
  void connect(const sockaddr* peer, socklen_t length, error_code& error);

  // Opens a new socket for the current scheduler. Closes the one that was open; the time limit
  // stays. Returns an errno value; 0 is success.
  int open(int family);

  // Binds a socket that was just opened, and listens. Returns an errno value; 0 is success.
  int listen(const sockaddr* local, socklen_t length, int backlog) noexcept;

  // Waits for a connection, and while there is no descriptor or memory for it. Returns its
  // descriptor; on error, -1.
  int accept(error_code& error);

  void set_option(int level, int name, const void* data, std::size_t size, error_code& error);
  void get_option(int level, int name, void* data, std::size_t& size, error_code& error) const;
  void drop_descriptor() noexcept;

  // Lies on the stack of a call that goes on with its socket after a wait. By then another fiber
  // may have closed, reopened or destroyed it.
  class visit {
   public:
    explicit visit(socket& to) noexcept : to_{&to} { to.begin_visit(*this); }
    ~visit() {
      if (to_ != nullptr) to_->end_visit(*this);
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

    // The socket was closed, so it may not exist any more.
    bool is_over() const noexcept { return to_ == nullptr; }
    // The call must end: the socket was closed, or another fiber has called cancel().
    bool must_end() const noexcept { return is_over() || cancelled_; }

   private:
    friend class socket;
    socket* to_;
    visit* next_ = nullptr;
    bool cancelled_ = false;
  };

  time_limit limit_;
  scheduler* scheduler_ = nullptr;
  int descriptor_ = -1;

 private:
  // What Asio's options require of a protocol.
  struct protocol {
    int number;
    int family() const { return number; }
  };
  int family() const noexcept;
  scheduler& owner() const { return is_open() ? *scheduler_ : scheduler::current(); }
  int connect_opened(const sockaddr* peer, socklen_t length, const visit& here);
  void begin_visit(visit& begun) noexcept;
  void end_visit(const visit& ended) noexcept;
  void end_visits() noexcept;

  role role_ = role::stream;
  visit* visits_ = nullptr;  // the last one that began
};

}  // namespace fibers
