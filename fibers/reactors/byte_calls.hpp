// byte_calls: the system calls that move the bytes of an operation, between its own memory and the
// socket's. They never wait. They return what the system call does, and errno says why it failed.
#pragma once

#include <fibers/reactor.hpp>

#include <sys/socket.h>

#include <cstddef>

namespace fibers {

inline constexpr int when_sending = MSG_DONTWAIT | MSG_NOSIGNAL;

inline msghdr message_of(const operation& moving) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(moving.first_part());
  message.msg_iovlen = moving.parts();
  return message;
}

inline ssize_t receive_now(const operation& receiving) noexcept {
  if (receiving.parts() == 0) {
    return ::recv(receiving.descriptor(), receiving.data(), receiving.size(), MSG_DONTWAIT);
  }
  auto message = message_of(receiving);
  return ::recvmsg(receiving.descriptor(), &message, MSG_DONTWAIT);
}

inline ssize_t send_now(int descriptor, const void* data, std::size_t size) noexcept {
  return ::send(descriptor, data, size, when_sending);
}

inline ssize_t send_now(const operation& sending) noexcept {
  if (sending.parts() == 0) {
    return send_now(sending.descriptor(), sending.data(), sending.size());
  }
  const auto message = message_of(sending);
  return ::sendmsg(sending.descriptor(), &message, when_sending);
}

}  // namespace fibers
