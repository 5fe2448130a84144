// What servers print without --quiet.
#include <bench/contract/contract.hpp>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <mutex>

namespace bench {
namespace {

// Writes the line if standard output takes it at once, and drops it otherwise: a server must not
// wait for whoever reads its log. poll() says that a pipe is writable if PIPE_BUF bytes fit, which
// are more than any line has. The mutex keeps another thread from filling it in between.
void say(std::string_view line) {
  static std::mutex one_line_at_a_time;
  const std::lock_guard lock{one_line_at_a_time};
  pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  if (poll(&output, 1, 0) != 1 || (output.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const auto written = write(STDOUT_FILENO, line.data(), line.size());
}

}  // namespace

// Python's notation for the address of a socket: a pair, and for IPv6 two more zeros.
void say_connection_from(std::string_view address, std::uint16_t port) {
  const bool v6 = address.find(':') != address.npos;
  say(fmt::format("Connection from ('{}', {}{})\n", address, port, v6 ? ", 0, 0" : ""));
}

void say_connection_from(const sockaddr_storage& address) {
  if (address.ss_family == AF_UNIX) return say("Connection from a local client\n");
  char text[INET6_ADDRSTRLEN] = {};
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  const void* bytes = &v4.sin_addr;
  if (address.ss_family == AF_INET6) bytes = &v6.sin6_addr;
  inet_ntop(address.ss_family, bytes, text, sizeof text);
  say_connection_from(text, ntohs(v4.sin_port));  // sin_port and sin6_port are at the same offset
}

void say_connection_closed() {
  say("Connection closed\n");
}

void say_task_done() {
  say("Task done\n");
}

void say_served(const server_options& options, std::size_t loop, const connection_counts& counts) {
  const bool sent_away = counts.idle + counts.refused > 0;
  if (options.quiet || (options.threads == 1 && !sent_away)) return;
  auto line = fmt::format("Loop {} served {}", loop, counts.served);
  if (sent_away) {
    line += fmt::format(", of which {} were idle for too long and {} found no memory", counts.idle,
                        counts.refused);
  }
  say(line + "\n");
}

}  // namespace bench
