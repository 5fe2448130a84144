// tcp_server: the common part of all styles: accepting, limits, idle clients and the drain.
//
//     tcp_server server{options, listener, drain_signal, start_coroutine};
//     server.run();   // returns when drained; several threads call it at once to share the loop
//
// A style is what happens on one connection, from the first receive to finished(). The three styles
// of the echo server are in callback.cpp, coroutine.cpp and spawn.cpp. Each is an echo_handler that
// reads like its twin in fibers/programs/echo_server.cpp. These choices make them fast:
//
// * The io_context takes no locks if one thread runs it.
// * The sockets know the type of their executor.
// * The prefix lies in front of the receive buffer, so a reply is never copied.
// * A send is tried at once, and waits only if the socket is full.
// * After a reply the other connections have their turn before the next receive.
//
// The turns matter because Asio on epoll tries a receive at once: right after the reply it finds
// nothing, at the price of one system call per message. On select and io_uring the turns let the
// receives of a round be submitted together. Without them the CPU per message is 1.03 times as much
// on select and 1.18 times on io_uring (64 connections of 512 bytes).
#pragma once

#include <bench/contract/acknowledgements.hpp>
#include <bench/contract/contract.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <utility>

namespace asio_baseline {

namespace asio = boost::asio;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

// The default executor type, any_io_executor, makes every operation a type-erased call. The
// protocol is read only when a connection is accepted, so a generic one costs nothing, and one type
// serves TCP and Unix-domain sockets.
using executor = asio::io_context::executor_type;
using stream_protocol = asio::generic::stream_protocol;
using stream_socket = asio::basic_stream_socket<stream_protocol, executor>;
using acceptor = asio::basic_socket_acceptor<stream_protocol, executor>;
using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor>;
using stream_descriptor = asio::posix::basic_stream_descriptor<executor>;

class tcp_server;

enum class sending { done, must_wait, impossible };

// One client. Only the style uses `socket`; other code uses the descriptor.
class connection {
 public:
  connection(tcp_server& whose, stream_socket accepted);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // The reply to `size` bytes that were received into `room`; it may be empty.
  asio::const_buffer reply_to(std::size_t size);
  // Sends as much of `unsent` as the socket has room for, and removes that part from it.
  sending send_some(asio::const_buffer& unsent);

  // Receives into `room` when it is this connection's turn. Completes with an error and a size.
  template <class Token>
  auto async_receive(Token&& token) {
    return async_receive(socket, std::forward<Token>(token));
  }
  // The same from a stream on top of the socket, such as one of TLS.
  template <class Stream, class Token>
  auto async_receive(Stream& stream, Token&& token);

  // For styles that do not reply by reply_to() and send_some(): a request has come, for which
  // --inject-ns is burnt; or other bytes were received or sent. Else the client counts as idle.
  void count_message();
  void has_moved() { moved_.store(true, std::memory_order_relaxed); }

  void stop_receiving();  // bytes that were received are still answered
  void hang_up();         // pending operations end
  // True: it has hung up now.
  bool hang_up_if_still_since(clock::time_point limit, clock::time_point now);

  tcp_server& server;
  stream_socket socket;
  std::list<connection>::iterator position;  // in the server's list

 private:
  const int descriptor_;
  std::string buffer_;  // the prefix, and room for one receive
  bench::acknowledgements owed_;
  bool hung_up_ = false;            // for idleness
  std::atomic<bool> moved_ = true;  // a byte was received or sent since the last look
  clock::time_point still_since_;   // valid while moved_ is false

 public:
  const asio::mutable_buffer room;
};

using style = void (*)(connection& accepted);
void start_callback(connection& accepted);
void start_coroutine(connection& accepted);
void start_spawn(connection& accepted);

class tcp_server {
 public:
  // Takes over the listener. The drain signal is duplicated and stays the caller's.
  tcp_server(const bench::server_options& options, int listener, int drain_signal, style start);
  void run();

  const bench::server_options& options() const { return options_; }
  executor get_executor() { return context_.get_executor(); }
  // Valid once run() has returned.
  const bench::connection_counts& counts() const { return counts_; }
  bool has_others() const { return count_.load(std::memory_order_relaxed) > 1; }
  void finished(connection& gone);

 private:
  using lock = std::scoped_lock<std::mutex>;

  void accept(const lock&);
  void accept_later(const lock&);
  void stop_accepting(const lock&);
  void accepted(stream_socket socket);
  void begin(connection& fresh);
  void look_for_idle(const lock&);
  void drain();
  void hang_up_all();

  const bench::server_options& options_;
  const style start_;
  const std::size_t most_connections_;
  asio::io_context context_;
  // Locked when connections come and go, never for a message.
  std::mutex mutex_;
  acceptor acceptor_;
  stream_descriptor drain_signal_;
  timer accept_timer_{context_};
  timer idle_timer_{context_};
  timer drain_timer_{context_};
  bool accepting_ = false;
  bool draining_ = false;
  bool looking_for_idle_ = false;
  std::list<connection> connections_;
  bench::connection_counts counts_;
  std::atomic<std::size_t> count_ = 0;  // connections_.size(), for threads without the mutex
};

template <class Stream, class Token>
auto connection::async_receive(Stream& stream, Token&& token) {
  return asio::async_initiate<Token, void(error_code, std::size_t)>(
      [this, &stream](auto handler) {
        if (!server.has_others()) return stream.async_read_some(room, std::move(handler));
        asio::defer(server.get_executor(), [this, &stream, handler = std::move(handler)]() mutable {
          stream.async_read_some(room, std::move(handler));
        });
      },
      token);
}

}  // namespace asio_baseline
