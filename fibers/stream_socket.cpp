#include <fibers/stream_socket.hpp>

#include <sys/ioctl.h>

#include <cerrno>

namespace fibers {

// Moves bytes. Whenever another fiber may have run, this stream may not exist any more.
inline std::size_t stream_socket::move(blocking_operation& wanted, error_code& error) {
  auto& blocking = scheduler_->blocking();
  const bool at_once = blocking.carry_out(wanted, &limit_);
  if (!at_once && wanted.limit_is_gone()) [[unlikely]] {
    error = error_without_stream(wanted);
  } else if (wanted.result() != 0) [[likely]] {
    limit_.activity();
    error = {};
  } else {
    error = error_of(wanted);
  }
  if (at_once) blocking.completed_at_once(wanted);
  return wanted.result();
}

// The error of an operation that moved no bytes.
[[gnu::noinline]] error_code stream_socket::error_of(const operation& done) const noexcept {
  if (done.error() != 0) return code_of(done.error());
  const int broken = scheduler_->blocking().reactor().why_ended(descriptor_);
  return broken != 0 ? code_of(broken) : make_error_code(boost::asio::error::eof);
}

// The error of an operation whose stream was closed or destroyed before its fiber went on, or that
// was too late before it began.
[[gnu::noinline]] error_code stream_socket::error_without_stream(const operation& done) noexcept {
  if (done.error() != 0) return code_of(done.error());
  return done.result() != 0 ? error_code{} : boost::asio::error::operation_aborted;
}

std::size_t stream_socket::nothing_to_move(error_code& error) const noexcept {
  error = is_open() ? error_code{} : boost::asio::error::bad_descriptor;
  return 0;
}

template <operation::kind What>
std::size_t stream_socket::transfer(const iovec& part, error_code& error) {
  if (part.iov_len == 0 || !is_open()) [[unlikely]]
    return nothing_to_move(error);
  blocking_operation wanted{What, descriptor_};
  wanted.buffer(part.iov_base, part.iov_len);
  return move(wanted, error);
}

template <operation::kind What>
std::size_t stream_socket::transfer(const iovecs& all, error_code& error) {
  if (all.bytes == 0 || !is_open()) [[unlikely]]
    return nothing_to_move(error);
  blocking_operation wanted{What, descriptor_};
  wanted.buffers(all.parts.data(), all.count, all.bytes);
  return move(wanted, error);
}

// If the last receive left bytes behind, lets the other fibers run before the next one: more bytes
// come meanwhile, so one system call takes more. False: the stream was closed meanwhile.
inline bool stream_socket::make_way_before_receive(error_code& error) noexcept {
  if (!is_open() || !scheduler_->blocking().reactor().may_receive(descriptor_)) return true;
  const visit here{*this};
  scheduler_->tasks().let_others_run();
  if (!here.is_over()) [[likely]]
    return true;
  error = boost::asio::error::operation_aborted;
  return false;
}

// Every message takes one of these two, so the layers below are inlined into them.
[[gnu::flatten]] std::size_t stream_socket::receive(const iovec& part, error_code& error) {
  if (!make_way_before_receive(error)) return 0;
  return transfer<operation::kind::receive>(part, error);
}
std::size_t stream_socket::send(const iovec& part, error_code& error) {
  if (is_open()) {
    const auto sent =
        scheduler_->blocking().send_at_once(descriptor_, part.iov_base, part.iov_len, limit_);
    if (sent != 0) [[likely]] {
      if (sent > 0) [[likely]] {
        error = {};
        return static_cast<std::size_t>(sent);
      }
      error = code_of(static_cast<int>(-sent));
      return 0;
    }
  }
  return transfer<operation::kind::send>(part, error);
}

std::size_t stream_socket::receive(const iovecs& all, error_code& error) {
  if (!make_way_before_receive(error)) return 0;
  return transfer<operation::kind::receive>(all, error);
}
std::size_t stream_socket::send(const iovecs& all, error_code& error) {
  return transfer<operation::kind::send>(all, error);
}

std::size_t stream_socket::available(error_code& error) const {
  int in_kernel = 0;
  error = code_of(::ioctl(descriptor_, FIONREAD, &in_kernel) != 0 ? errno : 0);
  if (error) return 0;
  return static_cast<std::size_t>(in_kernel) + scheduler_->blocking().reactor().unread(descriptor_);
}

std::size_t stream_socket::available() const {
  return or_throw("available", [&](error_code& error) { return available(error); });
}

// flush() before a shutdown. False: it has not waited, because the fiber is cancelled (the next
// call that waits throws that again), another fiber writes, or no fiber calls.
bool stream_socket::flush_to_end(error_code& error) {
  if (scheduler_->tasks().current() == nullptr) return false;
  try {
    flush(error);
  } catch (const cancelled&) {
    return false;
  }
  if (error.value() != EBUSY) return true;
  error = {};
  return false;
}

void stream_socket::shutdown(boost::asio::socket_base::shutdown_type what, error_code& error) {
  error = {};
  int how = what;
  if (how != SHUT_RD && is_open()) {
    const visit here{*this};
    const bool flushed = flush_to_end(error);
    if (here.must_end()) error = boost::asio::error::operation_aborted;
    if (error == boost::asio::error::operation_aborted) return;
    if (!flushed && scheduler_->blocking().reactor().shut_down_when_sent(descriptor_)) {
      if (how == SHUT_WR) return;
      how = SHUT_RD;
    }
  }
  if (::shutdown(descriptor_, how) != 0) {
    if (!error) error = code_of(errno);
  } else if (how != SHUT_RD) {
    scheduler_->blocking().reactor().no_more_sends(descriptor_);
  }
}

void stream_socket::flush(error_code& error) {
  blocking_operation sent{operation::kind::wait_sent, descriptor_};
  if (is_open()) {
    scheduler_->blocking().perform(sent, &limit_);
  } else {
    sent.fail(EBADF);
  }
  error = code_of(sent.error());
}

void stream_socket::flush() {
  error_code error;
  flush(error);
  if (error) throw_error(error, "flush");
}

void stream_socket::shutdown(boost::asio::socket_base::shutdown_type what) {
  error_code error;
  shutdown(what, error);
  if (error) throw_error(error, "shutdown");
}

stream_socket::executor_type stream_socket::get_executor() const {
  static boost::asio::io_context nobody_runs_this;
  return nobody_runs_this.get_executor();
}

// --- stream_listener -------------------------------------------------------------------------

stream_socket stream_listener::accept(error_code& error) {
  auto* const owner = scheduler_;  // this listener may be gone when the call ends
  const int accepted = socket::accept(error);
  return error ? stream_socket{} : stream_socket{*owner, accepted};
}

stream_socket stream_listener::accept() {
  error_code error;
  auto accepted = accept(error);
  if (error) throw_error(error, "accept");
  return accepted;
}

}  // namespace fibers
