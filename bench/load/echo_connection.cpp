#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <bench/load/echo_connection.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

namespace bench {
namespace {

constexpr std::string_view probe = "~\n";
constexpr std::size_t longest_prefix = 256;
constexpr std::size_t longest_first_reply = 32768;

// Repeats a call that does not wait. Returns -1 and EAGAIN if it cannot be done by `until`, and
// looks at `stop` ten times per second: a signal may have woken another thread than this one.
template <class Call>
ssize_t done_until(std::chrono::steady_clock::time_point until, const std::atomic<bool>& stop,
                   const client_socket& socket, short usual_event, Call call) {
  using namespace std::chrono_literals;
  for (;;) {
    const auto count = call();
    if (count >= 0 || (errno != EAGAIN && errno != EINTR)) return count;
    if (stop) throw interrupted{};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    errno = EAGAIN;
    if (left <= 0ms) return -1;
    pollfd waiting{.fd = socket.get(), .events = socket.awaited(usual_event), .revents = 0};
    poll(&waiting, 1, static_cast<int>(std::min(left, 100ms).count()));
  }
}

std::string_view reason(int error) {
  return error == EAGAIN ? "no answer in time" : std::strerror(error);
}

descriptor open_socket(const address& where) {
  descriptor socket{
      ::socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) throw run_invalid(fmt::format("cannot open a socket: {}", std::strerror(errno)));
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

// The kernel then looks for a port when it knows where the connection goes, and so may use a port
// for several servers (ip(7)).
void come_from(int socket, const address& source) {
  const int on = 1;
  setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(socket, source.get(), source.length) != 0)
    throw run_invalid(
        fmt::format("cannot begin a connection at {}: {}", source.text, std::strerror(errno)));
}

[[noreturn]] void fail_to_connect(const std::string& name, const address& where) {
  throw cannot_connect(
      fmt::format("cannot connect to {} at {}: {}", name, where.text, reason(errno)));
}

}  // namespace

client_socket connect_to(const std::string& name, const address& where,
                         std::chrono::nanoseconds patience, const std::atomic<bool>& stop,
                         const address* source) {
  client_socket socket{open_socket(where), where};
  if (source != nullptr) come_from(socket.get(), *source);
  const auto until = std::chrono::steady_clock::now() + patience;
  const auto connected = done_until(until, stop, socket, POLLOUT, [&]() -> ssize_t {
    const int result = ::connect(socket.get(), where.get(), where.length);
    // A full backlog of a Unix socket, for which poll() cannot wait.
    if (result != 0 && errno == EAGAIN) poll(nullptr, 0, 1);
    if (result != 0 && (errno == EINPROGRESS || errno == EALREADY)) errno = EAGAIN;
    return result;
  });
  if (connected != 0) fail_to_connect(name, where);
  return socket;
}

client_socket begin_connecting(const std::string& name, const address& where,
                               const address* source) {
  client_socket socket{open_socket(where), where};
  if (source != nullptr) come_from(socket.get(), *source);
  const int result = ::connect(socket.get(), where.get(), where.length);
  if (result != 0 && errno != EINPROGRESS) fail_to_connect(name, where);
  return socket;
}

std::string ask_once(const std::string& name, const address& where,
                     std::chrono::nanoseconds patience, const std::atomic<bool>& stop,
                     std::string_view request, std::string_view what,
                     const std::function<bool(std::string_view reply)>& is_complete) {
  auto socket = connect_to(name, where, patience, stop);
  const auto until = std::chrono::steady_clock::now() + patience;
  std::string reply;
  if (done_until(until, stop, socket, POLLOUT, [&] { return socket.send(request); }) <= 0) {
    if (errno == EAGAIN)
      throw no_answer(fmt::format("{} does not answer: {}", name, reason(errno)));
    throw connection_lost(fmt::format("{} closed a new connection", name));
  }
  while (!is_complete(reply)) {
    char bytes[longest_prefix];
    const auto count =
        done_until(until, stop, socket, POLLIN, [&] { return socket.receive(bytes); });
    if (count == 0) throw connection_lost(fmt::format("{} closed a new connection", name));
    if (count < 0 && reply.empty()) {
      throw no_answer(fmt::format("{} does not answer: {}", name, reason(errno)));
    }
    if (count > 0) reply.append(bytes, static_cast<std::size_t>(count));
    if (count < 0 || reply.size() > longest_first_reply) {
      throw wrong_reply(fmt::format("{} does not {}: sent {:?} it answered {:?}", name, what,
                                    request, reply.substr(0, 40)));
    }
  }
  return reply;
}

// Sends two bytes. Every server gets them in one receive, so the reply ends with them; the bytes
// before them are the prefix.
std::string detect_prefix(const std::string& name, const address& where,
                          std::chrono::nanoseconds patience, const std::atomic<bool>& stop) {
  auto reply = ask_once(name, where, patience, stop, probe, "echo", [&](std::string_view so_far) {
    if (so_far.size() > longest_prefix && !so_far.ends_with(probe))
      throw wrong_reply(fmt::format("{} does not echo: sent {:?} it answered {:?}", name, probe,
                                    so_far.substr(0, 40)));
    return so_far.ends_with(probe);
  });
  reply.resize(reply.size() - probe.size());
  return reply;
}

}  // namespace bench
