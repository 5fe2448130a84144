// stream_socket: a byte stream in both directions. A call that would block parks the fiber.
//
// It is the common base of tcp::stream and local::stream. It models Asio's SyncReadStream and
// SyncWriteStream, so asio::read_until, Boost.Beast and asio::ssl::stream work on it unchanged.
// error.hpp says how calls fail. The end of the stream is asio::error::eof, a deadline that passed
// is asio::error::timed_out, and a socket that was closed during a call is
// asio::error::operation_aborted.
#pragma once

#include <fibers/socket.hpp>

#include <sys/uio.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/write.hpp>
#include <cstddef>
#include <type_traits>

namespace fibers {

class stream_socket : public socket {
 public:
  using lowest_layer_type = stream_socket;
  // For layers that require an executor. Nothing ever runs on it.
  using executor_type = boost::asio::io_context::executor_type;

  // At most one fiber may read and one may write at a time; a second one gets EBUSY. flush() counts
  // as writing.

  // Receives what has arrived: at least one byte, and at most what the buffers hold. Returns 0 at
  // once if the buffers have no room.
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers, error_code& error) {
    return receive(parts<boost::asio::mutable_buffer>(buffers), error);
  }
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers) {
    return or_throw("read_some", [&](error_code& error) { return read_some(buffers, error); });
  }

  // Sends at least one byte, but maybe not all. asio::write sends all.
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers, error_code& error) {
    return send(parts<boost::asio::const_buffer>(buffers), error);
  }
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers) {
    return or_throw("write_some", [&](error_code& error) { return write_some(buffers, error); });
  }

  // How many bytes can be read without waiting.
  std::size_t available(error_code& error) const;
  std::size_t available() const;

  // Waits until the kernel has all bytes that were sent. close() does not: with io_uring the last
  // writes may still be on their way.
  void flush(error_code& error);
  void flush();

  // Sends what was written before, then shuts down. If the fiber is cancelled, it does not wait for
  // that, and the stream is shut down later. Safe in destructors: it never throws `cancelled`; the
  // next call that waits does.
  void shutdown(boost::asio::socket_base::shutdown_type what, error_code& error);
  void shutdown(boost::asio::socket_base::shutdown_type what);

  executor_type get_executor() const;
  stream_socket& lowest_layer() noexcept { return *this; }
  const stream_socket& lowest_layer() const noexcept { return *this; }

 protected:
  friend class stream_listener;
  using socket::socket;

 private:
  // A buffer sequence in the form the kernel takes. Buffers beyond the array are left to the next
  // call.
  struct iovecs {
    std::array<iovec, 16> parts;
    std::size_t count = 0;
    std::size_t bytes = 0;
  };

  // Nearly always there is one buffer. Then a single iovec saves the stack space of the array.
  template <class Buffer, class Sequence>
  static auto parts(const Sequence& buffers) {
    if constexpr (std::is_convertible_v<Sequence, Buffer>) {
      const Buffer only{buffers};
      return iovec{const_cast<void*>(static_cast<const void*>(only.data())), only.size()};
    } else {
      iovecs all;
      const auto end = boost::asio::buffer_sequence_end(buffers);
      for (auto it = boost::asio::buffer_sequence_begin(buffers); it != end; ++it) {
        const Buffer part{*it};
        if (part.size() == 0) continue;
        if (all.count == all.parts.size()) break;
        all.parts[all.count++] = {const_cast<void*>(static_cast<const void*>(part.data())),
                                  part.size()};
        all.bytes += part.size();
      }
      return all;
    }
  }

  template <class Call>
  static auto or_throw(const char* what, Call&& call) {
    error_code error;
    const auto result = call(error);
    if (error) throw_error(error, what);
    return result;
  }

  std::size_t receive(const iovec& part, error_code& error);
  std::size_t receive(const iovecs& all, error_code& error);
  std::size_t send(const iovec& part, error_code& error);
  std::size_t send(const iovecs& all, error_code& error);
  template <operation::kind What>
  std::size_t transfer(const iovec& part, error_code& error);
  template <operation::kind What>
  std::size_t transfer(const iovecs& all, error_code& error);
  std::size_t move(blocking_operation& wanted, error_code& error);
  std::size_t nothing_to_move(error_code& error) const noexcept;
  bool make_way_before_receive(error_code& error) noexcept;
  bool flush_to_end(error_code& error);
  error_code error_of(const operation& done) const noexcept;
  static error_code error_without_stream(const operation& done) noexcept;
};

// Accepts from any listening socket, whatever its family, such as one that a supervisor or a parent
// process has opened.
class stream_listener : public socket {
 public:
  stream_listener() noexcept : socket{role::listener} {}  // closed; assign() opens it

  // Waits for a connection. If descriptors or memory have run out, the connection stays in the
  // backlog, and accept() waits on: it tries again every 10 ms. At most one fiber may wait; a
  // second one gets EBUSY.
  stream_socket accept(error_code& error);
  stream_socket accept();
};

}  // namespace fibers
