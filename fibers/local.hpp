// local: the streams of tcp between programs of one machine, by path (Unix-domain sockets).
//
//     fibers::local::listener listener{"/run/echo"};
//     auto stream = fibers::local::connect("/run/echo");
//
// What a stream can do, and how it fails, stands in stream_socket.hpp. A path is at most 107
// characters; a longer one fails with ENAMETOOLONG.
#pragma once

#include <fibers/stream_socket.hpp>

#include <string>
#include <string_view>

namespace fibers::local {

class stream : public stream_socket {
 public:
  stream() = default;  // closed

  // Takes over a connected socket, of a socketpair() maybe, as tcp::stream::from_descriptor().
  static stream from_descriptor(int descriptor);

  // Opens and connects; what was open is closed. While the listener's backlog is full it waits.
  void connect(std::string_view path, error_code& error);
  void connect(std::string_view path);

 private:
  friend class listener;
  using stream_socket::stream_socket;
};

class listener : public socket {
 public:
  // The path must not exist. Throws boost::system::system_error.
  explicit listener(std::string_view path, int backlog = 4096);
  listener(listener&&) noexcept = default;
  listener& operator=(listener&&) noexcept = default;

  // The file stays: whoever made a place for it removes it.
  ~listener() = default;

  // As tcp::listener::accept().
  stream accept(error_code& error);
  stream accept();
};

// Throws boost::system::system_error.
stream connect(std::string_view path);
// The same, in at most that much time; then it throws timed_out.
stream connect(std::string_view path, clock::duration at_most);

}  // namespace fibers::local
