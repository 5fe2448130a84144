// local: the streams of tcp.hpp over Unix-domain sockets, which connect programs of one machine.
//
//     fibers::local::listener listener{"/run/echo"};
//     auto stream = fibers::local::connect("/run/echo");
//
// stream_socket.hpp says what a stream can do and how it fails.
//
// A path has at most 107 characters. A longer one fails with ENAMETOOLONG, and an empty one or one
// with a NUL in it with EINVAL. If its first character is a NUL, it is an abstract name (unix(7)):
// no file, up to 107 bytes after that NUL, and all of them count, also further NULs.
#pragma once

#include <fibers/stream_socket.hpp>

#include <string>
#include <string_view>

namespace fibers::local {

class stream : public stream_socket {
 public:
  using lowest_layer_type = stream;

  stream() = default;  // closed

  // A stream to which the descriptor is assigned, such as one of a socketpair(). Throws
  // boost::system::system_error; assign() is the form with an error_code.
  static stream from_descriptor(int descriptor);

  // Opens a socket and connects it. Closes the one that was open. Waits while the listener's
  // backlog is full. The stream is closed afterwards if the call fails or throws.
  void connect(std::string_view path, error_code& error);
  void connect(std::string_view path);

  stream& lowest_layer() noexcept { return *this; }
  const stream& lowest_layer() const noexcept { return *this; }

 private:
  friend class listener;
  using stream_socket::stream_socket;
};

class listener : public socket {
 public:
  listener() noexcept : socket{role::listener} {}  // closed; listen() and assign() open it

  // Binds and listens. The path must not exist. Throws boost::system::system_error.
  explicit listener(std::string_view path, int backlog = 4096);
  listener(listener&&) noexcept = default;
  listener& operator=(listener&&) noexcept = default;

  // Leaves the file: the code that chose the path removes it.
  ~listener() = default;

  // What the constructor does. Closes the socket that was open.
  void listen(std::string_view path, int backlog, error_code& error);

  // See tcp::listener::accept().
  stream accept(error_code& error);
  stream accept();
};

// Opens a stream and connects it. On error the stream is closed.
stream connect(std::string_view path, error_code& error);
stream connect(std::string_view path);

// The same with a time limit. It fails with timed_out when that passes.
stream connect_until(std::string_view path, clock::time_point moment, error_code& error);
stream connect_until(std::string_view path, clock::time_point moment);
template <class Clock, class Duration, class... Error>
stream connect_until(std::string_view path, const std::chrono::time_point<Clock, Duration>& moment,
                     Error&... error) {
  return connect_until(path, deadline_at(moment), error...);
}
template <class Rep, class Period, class... Error>
stream connect_for(std::string_view path, const std::chrono::duration<Rep, Period>& duration,
                   Error&... error) {
  return connect_until(path, deadline_after(duration), error...);
}

}  // namespace fibers::local
