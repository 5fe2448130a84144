#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <bench/load/echo_connection.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace bench {
namespace {

constexpr std::string_view probe = "~\n";
constexpr std::size_t longest_prefix = 256;

void limit_connecting(int socket, std::chrono::nanoseconds patience) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
  const timeval limit{.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

// Repeats a call that does not wait, but fails with EAGAIN if it cannot be done by `until`.
// SO_RCVTIMEO would be shorter code, but on some kernels a blocking recv that a connection reset
// has woken fails with EAGAIN too.
template <class Call>
ssize_t done_until(std::chrono::steady_clock::time_point until, const client_socket& socket,
                   short usual_event, Call call) {
  for (;;) {
    const auto count = call();
    if (count >= 0 || errno != EAGAIN) return count;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd waiting{.fd = socket.get(), .events = socket.awaited(usual_event), .revents = 0};
    const int ready = left.count() > 0 ? poll(&waiting, 1, static_cast<int>(left.count())) : 0;
    if (ready == 0) errno = EAGAIN;
    if (ready <= 0) return -1;
  }
}

std::string_view reason(int error) {
  return error == EAGAIN || error == EINPROGRESS ? "no answer in time" : std::strerror(error);
}

descriptor open_socket(const address& where, int flags) {
  descriptor socket{::socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)};
  if (!socket) throw run_invalid(fmt::format("cannot open a socket: {}", std::strerror(errno)));
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

[[noreturn]] void fail_to_connect(const std::string& name, const address& where) {
  throw cannot_connect(
      fmt::format("cannot connect to {} at {}: {}", name, where.text, reason(errno)));
}

}  // namespace

client_socket connect_to(const std::string& name, const address& where,
                         std::chrono::nanoseconds patience, const std::atomic<bool>& stop) {
  auto socket = open_socket(where, 0);
  limit_connecting(socket.get(), patience);
  if (::connect(socket.get(), where.get(), where.length) == 0) return {std::move(socket), where};
  if (errno == EINTR && stop) throw interrupted{};
  fail_to_connect(name, where);
}

client_socket begin_connecting(const std::string& name, const address& where) {
  auto socket = open_socket(where, SOCK_NONBLOCK);
  const int result = ::connect(socket.get(), where.get(), where.length);
  if (result != 0 && errno != EINPROGRESS) fail_to_connect(name, where);
  return {std::move(socket), where};
}

// Sends two bytes. Every server gets them in one receive, so the reply ends with them; the bytes
// before them are the prefix.
std::string detect_prefix(const std::string& name, const address& where,
                          std::chrono::nanoseconds patience, const std::atomic<bool>& stop) {
  auto socket = connect_to(name, where, patience, stop);
  const auto until = std::chrono::steady_clock::now() + patience;
  std::string reply;
  while (done_until(until, socket, POLLOUT, [&] { return socket.send(probe); }) <= 0) {
    if (errno == EINTR && stop) throw interrupted{};
    if (errno == EINTR) continue;
    if (errno == EAGAIN)
      throw no_answer(fmt::format("{} does not answer: no answer in time", name));
    throw connection_lost(fmt::format("{} closed a new connection", name));
  }
  while (!reply.ends_with(probe)) {
    char bytes[longest_prefix];
    const auto count = done_until(until, socket, POLLIN, [&] { return socket.receive(bytes); });
    if (count == 0) throw connection_lost(fmt::format("{} closed a new connection", name));
    if (count < 0 && errno == EINTR) {  // Ctrl-C, or SIGWINCH from a resized window
      if (stop) throw interrupted{};
      continue;
    }
    if (count < 0 && reply.empty()) {
      throw no_answer(fmt::format("{} does not answer: {}", name, reason(errno)));
    }
    if (count > 0) reply.append(bytes, static_cast<std::size_t>(count));
    if (count < 0 || reply.size() > longest_prefix) {
      throw wrong_reply(fmt::format("{} does not echo: sent \"~\\n\" it answered {:?}", name,
                                    reply.substr(0, 40)));
    }
  }
  return reply.substr(0, reply.size() - probe.size());
}

}  // namespace bench
