#include <fibers/stream_socket.hpp>

#include <sys/ioctl.h>

#include <cerrno>

namespace fibers {

inline std::size_t stream_socket::finish(const operation& done, error_code& error) noexcept {
  if (done.result() != 0) [[likely]] {
    limit_.activity();
    error = {};
    return done.result();
  }
  error = error_of(done);
  return 0;
}

// The error of an operation that moved no bytes.
[[gnu::noinline]] error_code stream_socket::error_of(const operation& done) const noexcept {
  if (done.error() != 0) return code_of(done.error());
  if (!is_open()) return boost::asio::error::bad_descriptor;
  if (!done.finished()) return {};  // there was nothing to do
  const int broken = scheduler_->blocking().reactor().why_ended(descriptor_);
  return broken != 0 ? code_of(broken) : make_error_code(boost::asio::error::eof);
}

template <operation::kind What>
std::size_t stream_socket::transfer(const iovec& part, error_code& error) {
  blocking_operation wanted{What, descriptor_};
  wanted.buffer(part.iov_base, part.iov_len);
  if (part.iov_len != 0 && is_open()) scheduler_->blocking().perform(wanted, &limit_);
  return finish(wanted, error);
}

template <operation::kind What>
std::size_t stream_socket::transfer(const iovecs& all, error_code& error) {
  blocking_operation wanted{What, descriptor_};
  wanted.buffers(all.parts.data(), all.count, all.bytes);
  if (all.bytes != 0 && is_open()) scheduler_->blocking().perform(wanted, &limit_);
  return finish(wanted, error);
}

// If the descriptor is closed while other fibers run, its number may have another owner.
inline bool stream_socket::closed_while_making_way(error_code& error) noexcept {
  if (!is_open()) return false;
  scheduler_->blocking().make_way_before_receive(descriptor_);
  if (is_open()) [[likely]]
    return false;
  error = boost::asio::error::operation_aborted;
  return true;
}

// Every message takes one of these two, so the layers below are inlined into them.
[[gnu::flatten]] std::size_t stream_socket::receive(const iovec& part, error_code& error) {
  if (closed_while_making_way(error)) return 0;
  return transfer<operation::kind::receive>(part, error);
}
std::size_t stream_socket::send(const iovec& part, error_code& error) {
  if (is_open()) {
    const auto sent =
        scheduler_->blocking().send_at_once(descriptor_, part.iov_base, part.iov_len, limit_);
    if (sent != 0) [[likely]] {
      if (sent > 0) [[likely]] {
        limit_.activity();
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
  if (closed_while_making_way(error)) return 0;
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
    const bool flushed = flush_to_end(error);
    if (error == boost::asio::error::operation_aborted) return;  // the socket was closed meanwhile
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
  const int accepted = socket::accept(error);
  return error ? stream_socket{} : stream_socket{*scheduler_, accepted};
}

stream_socket stream_listener::accept() {
  error_code error;
  auto accepted = accept(error);
  if (error) throw_error(error, "accept");
  return accepted;
}

}  // namespace fibers
