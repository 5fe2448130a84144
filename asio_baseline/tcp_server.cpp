#include <asio_baseline/tcp_server.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <new>
#include <utility>

namespace asio_baseline {
namespace {

void say_connected(int descriptor) {
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  getpeername(descriptor, reinterpret_cast<sockaddr*>(&from), &length);
  bench::say_connection_from(from);
}

stream_protocol protocol_of(int listener) {
  int family = AF_INET;
  int protocol = 0;
  socklen_t length = sizeof family;
  getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &family, &length);
  getsockopt(listener, SOL_SOCKET, SO_PROTOCOL, &protocol, &length);
  return {family, protocol};
}

// If one thread runs the loop, no two threads touch its data, and Asio needs no locks.
int concurrency(const bench::server_options& options) {
  const bool shared = options.shape == "shared" && options.threads > 1;
  return shared ? options.threads : BOOST_ASIO_CONCURRENCY_HINT_UNSAFE;
}

}  // namespace

connection::connection(tcp_server& whose, stream_socket accepted)
    : server{whose},
      socket{std::move(accepted)},
      descriptor_{socket.native_handle()},
      buffer_{whose.options().prefix + std::string(whose.options().buffer, '\0')},
      room{asio::buffer(buffer_) + whose.options().prefix.size()} {
  if (!server.options().quiet) say_connected(descriptor_);
}

connection::~connection() {
  if (server.options().quiet) return;
  bench::say_connection_closed();
  bench::say_task_done();
}

void connection::count_message() {
  has_moved();
  const auto cost = server.options().inject_ns;
  if (cost.count() > 0) bench::spend_cpu(cost);
}

asio::const_buffer connection::reply_to(std::size_t size) {
  const auto& options = server.options();
  count_message();
  if (options.ack > 0) return asio::buffer(owed_.for_received(size, options));
  return asio::buffer(buffer_, options.prefix.size() + size);
}

// The socket nearly always has room. Then this costs one system call and no pass through the queue
// of completions.
sending connection::send_some(asio::const_buffer& unsent) {
  if (unsent.size() == 0) return sending::done;
  const auto size = ::send(descriptor_, unsent.data(), unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size < 0) return errno == EAGAIN ? sending::must_wait : sending::impossible;
  unsent += static_cast<std::size_t>(size);
  has_moved();
  return unsent.size() == 0 ? sending::done : sending::must_wait;
}

void connection::stop_receiving() {
  ::shutdown(descriptor_, SHUT_RD);
}

void connection::hang_up() {
  ::shutdown(descriptor_, SHUT_RDWR);
}

// Called now and then. That costs less than reading the clock on each message.
bool connection::hang_up_if_still_since(clock::time_point limit, clock::time_point now) {
  if (moved_.exchange(false, std::memory_order_relaxed)) still_since_ = now;
  if (hung_up_ || still_since_ > limit) return false;
  hang_up();
  return hung_up_ = true;
}

tcp_server::tcp_server(const bench::server_options& options, int listener, int drain_signal,
                       style start)
    : options_{options},
      start_{start},
      most_connections_{bench::connections_per_thread(options)},
      context_{concurrency(options)},
      acceptor_{context_, protocol_of(listener), listener},
      drain_signal_{context_, dup(drain_signal)} {
  drain_signal_.async_wait(stream_descriptor::wait_read, [this](error_code) { drain(); });
  accept(lock{mutex_});
}

void tcp_server::run() {
  if (options_.spin.count() == 0) {
    context_.run();
    return;
  }
  for (auto until = clock::now() + options_.spin; !context_.stopped();) {
    if (context_.poll() == 0) {
      if (clock::now() < until) continue;
      context_.run_one();
    }
    until = clock::now() + options_.spin;
  }
}

void tcp_server::accept(const lock&) {
  if (accepting_ || draining_ || connections_.size() >= most_connections_) return;
  accepting_ = true;
  acceptor_.async_accept([this](error_code error, stream_socket socket) {
    if (!error) return accepted(std::move(socket));
    const lock locked{mutex_};
    accepting_ = false;
    if (draining_) return stop_accepting(locked);
    accept_later(locked);
  });
}

// Closing the acceptor would cancel its pending accept. For that, Asio before 1.27 (Boost 1.82)
// gives io_uring an entry which still names the operation that had this entry before. That
// operation seems to complete, and others get lost:
// https://github.com/chriskohlhoff/asio/pull/1215. So the pending accept is ended by a shutdown,
// and then nothing is left to cancel.
void tcp_server::stop_accepting(const lock&) {
  if (accepting_) {
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
  } else {
    acceptor_.close();
  }
}

void tcp_server::accepted(stream_socket socket) {
  connection* fresh = nullptr;
  {
    const lock locked{mutex_};
    accepting_ = false;
    if (draining_) return stop_accepting(locked);  // it was accepted while the drain began
    try {
      fresh = &connections_.emplace_back(*this, std::move(socket));
    } catch (const std::bad_alloc&) {
      ++counts_.served;
      ++counts_.refused;
      return accept_later(locked);
    }
    fresh->position = std::prev(connections_.end());
    count_ = connections_.size();
    ++counts_.served;
    if (!looking_for_idle_) look_for_idle(locked);
    accept(locked);
  }
  begin(*fresh);
}

// If it cannot start, mostly because there is no memory for its coroutine, this connection ends and
// the others go on.
void tcp_server::begin(connection& fresh) try { start_(fresh); } catch (const std::exception&) {
  {
    const lock locked{mutex_};
    ++counts_.refused;
  }
  finished(fresh);
}

// Mostly, descriptors or memory have run out. Trying again at once would keep the processor busy
// for nothing.
void tcp_server::accept_later(const lock&) {
  accept_timer_.expires_after(std::chrono::milliseconds{10});
  accept_timer_.async_wait([this](error_code error) {
    if (!error) accept(lock{mutex_});
  });
}

void tcp_server::finished(connection& gone) {
  const lock locked{mutex_};
  connections_.erase(gone.position);
  count_ = connections_.size();
  if (draining_ && connections_.empty()) context_.stop();
  accept(locked);
}

// Looks every sixteenth of the timeout, so that a connection is closed at most an eighth too late.
void tcp_server::look_for_idle(const lock&) {
  looking_for_idle_ = options_.idle_timeout.count() > 0 && !connections_.empty();
  if (!looking_for_idle_) return;
  idle_timer_.expires_after(options_.idle_timeout / 16);
  idle_timer_.async_wait([this](error_code) {
    const lock locked{mutex_};
    const auto now = clock::now();
    for (auto& each : connections_) {
      if (each.hang_up_if_still_since(now - options_.idle_timeout, now)) ++counts_.idle;
    }
    look_for_idle(locked);
  });
}

// Bytes that were received stay readable after the shutdown and are answered. Then the read reports
// the end of file.
void tcp_server::drain() {
  bench::begin_drain(options_);
  const lock locked{mutex_};
  draining_ = true;
  stop_accepting(locked);
  for (auto& each : connections_) each.stop_receiving();
  if (connections_.empty()) return context_.stop();
  drain_timer_.expires_after(options_.drain);
  drain_timer_.async_wait([this](error_code) { hang_up_all(); });
}

// Closes every connection and lets each style end by itself, so that none has to be destroyed
// halfway.
void tcp_server::hang_up_all() {
  const lock locked{mutex_};
  for (auto& each : connections_) each.hang_up();
}

}  // namespace asio_baseline
