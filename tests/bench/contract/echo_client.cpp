#include <tests/bench/contract/echo_client.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <tests/bench/contract/server_process.hpp>

namespace {

using clock_type = std::chrono::steady_clock;

constexpr std::string_view prefix = "GOT:";

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::system_category(), what};
}

bool is_body(char letter) {
  return letter >= 'a' && letter <= 'z';
}

using system_call = int (*)(int, const sockaddr*, socklen_t);

// Calls bind() or connect().
int call(system_call what, int socket, const char* host, int port) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(static_cast<std::uint16_t>(port));
  const bool is_v4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1;
  if (!is_v4) inet_pton(AF_INET6, host, &v6.sin6_addr);
  const auto* address =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  return what(socket, address, is_v4 ? sizeof v4 : sizeof v6);
}

void connect_to(int socket, const char* host, int port) {
  if (call(connect, socket, host, port) != 0) fail("connect");
}

int family_of(std::string_view host) {
  return host.find(':') == host.npos ? AF_INET : AF_INET6;
}

// Repeats a non-blocking call until it transfers bytes or reaches the end of the stream. Throws
// timed_out after `patience`. A blocking call with SO_RCVTIMEO would be shorter code, but its
// EAGAIN is ambiguous: some kernels also return it from a recv() that a reset has woken.
template <class Call>
std::size_t when_ready(int socket, short events, const char* what, Call call) {
  for (const auto until = clock_type::now() + patience;;) {
    const auto size = call();
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno != EAGAIN && errno != EINTR) fail(what);
    const auto left = std::chrono::ceil<milliseconds>(until - clock_type::now());
    pollfd waiting{.fd = socket, .events = events, .revents = 0};
    if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
      throw std::system_error{std::make_error_code(std::errc::timed_out), what};
    }
  }
}

}  // namespace

echo_client::echo_client(int family, int buffer_bytes)
    : socket_{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  if (socket_ < 0) fail("socket");
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval longest{.tv_sec = patience.count(), .tv_usec = 0};
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);  // limits connect()
  if (buffer_bytes > 0) {
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  }
}

echo_client::echo_client(int port, const char* host, int buffer_bytes)
    : echo_client{family_of(host), buffer_bytes} {
  connect_to(socket_, host, port);
}

echo_client::echo_client(const std::filesystem::path& path) : echo_client{AF_UNIX, 0} {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("connect");
  }
}

// The kernel gives ports above 32768 to those who ask for none. Others that bind one here lead to
// another port for the same loop.
echo_client echo_client::for_loop(int loop, int loops, int port, const char* host) {
  for (int own = 10'000; own < 32'000; ++own) {
    if (own / 16 % loops != loop) continue;
    echo_client client{family_of(host), 0};
    if (call(bind, client.socket_, host, own) == 0) {
      connect_to(client.socket_, host, port);
      return client;
    }
    if (errno != EADDRINUSE) fail("bind");
  }
  throw std::runtime_error{"no free port"};
}

echo_client::~echo_client() {
  if (socket_ >= 0) close(socket_);
}

echo_client::echo_client(echo_client&& other) noexcept
    : socket_{std::exchange(other.socket_, -1)} {}

echo_client& echo_client::operator=(echo_client&& other) noexcept {
  std::swap(socket_, other.socket_);
  return *this;
}

int echo_client::port() const {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

void echo_client::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    bytes.remove_prefix(when_ready(socket_, POLLOUT, "send", [&] {
      return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }));
  }
}

std::size_t echo_client::send_until_stuck(std::string_view bytes) const {
  const std::size_t all = bytes.size();
  auto stuck_at = clock_type::now() + milliseconds{500};
  while (!bytes.empty() && clock_type::now() < stuck_at) {
    const auto size = ::send(socket_, bytes.data(), std::min<std::size_t>(bytes.size(), 65536),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN) fail("send");
    if (size < 0) {
      usleep(1000);
      continue;
    }
    bytes.remove_prefix(static_cast<std::size_t>(size));
    stuck_at = clock_type::now() + milliseconds{500};
  }
  return all - bytes.size();
}

void echo_client::fill() const {
  const std::string bytes(4096, 'x');
  while (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
  }
}

// If the end of the stream arrives before the reset, send() fails with EPIPE, not with ECONNRESET.
bool echo_client::is_closed_while_sending(std::string_view bytes) const {
  try {
    send(bytes);
    return false;
  } catch (const std::system_error& error) {
    return error.code() == std::errc::connection_reset || error.code() == std::errc::broken_pipe;
  }
}

void echo_client::end() const {
  shutdown(socket_, SHUT_WR);
}

// TCP_CORK holds a partial segment back until shutdown(), which sends it together with the FIN.
void echo_client::send_and_end(std::string_view bytes) const {
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
  send(bytes);
  end();
}

void echo_client::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(std::exchange(socket_, -1));
}

bool echo_client::receive_some(std::string& raw) const {
  char bytes[65536];
  const auto size = when_ready(socket_, POLLIN, "receive",
                               [&] { return recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT); });
  raw.append(bytes, size);
  return size > 0;
}

echo echo_client::receive(std::size_t bytes) const {
  std::string raw;
  for (std::size_t seen = 0, got = 0; got < bytes; seen = raw.size()) {
    if (!receive_some(raw)) break;
    got += static_cast<std::size_t>(
        std::count_if(raw.begin() + static_cast<std::ptrdiff_t>(seen), raw.end(), is_body));
  }
  return parse_echo(raw);
}

std::string echo_client::receive_raw() const {
  std::string raw;
  while (receive_some(raw)) {
  }
  return raw;
}

bool echo_client::is_refused() const {
  std::string dropped;
  try {
    while (receive_some(dropped)) {
    }
    return true;
  } catch (const std::system_error& error) {
    return error.code() == std::errc::connection_reset;
  }
}

bool echo_client::has_reply() const {
  pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) == 1;
}

bool echo_client::is_established() const {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) fail("getsockopt");
  return info.tcpi_state == TCP_ESTABLISHED;
}

std::string body(std::size_t bytes) {
  std::string letters(bytes, 'a');
  std::uint32_t state = 12345;
  for (auto& letter : letters) {
    state = state * 1664525 + 1013904223;
    letter = static_cast<char>('a' + (state >> 16) % 26);
  }
  return letters;
}

echo parse_echo(std::string_view raw) {
  echo result;
  while (!raw.empty()) {
    if (!raw.starts_with(prefix)) throw std::runtime_error{"a reply without its prefix"};
    raw.remove_prefix(prefix.size());
    const auto end = std::find_if_not(raw.begin(), raw.end(), is_body);
    const auto size = static_cast<std::size_t>(end - raw.begin());
    if (size == 0) throw std::runtime_error{"a prefix without bytes"};
    result.bytes.append(raw.substr(0, size));
    result.longest = std::max(result.longest, size);
    ++result.prefixes;
    raw.remove_prefix(size);
  }
  return result;
}

bool echoes(const echo_client& client, std::string_view bytes) {
  client.send(bytes);
  return client.receive(bytes.size()).bytes == bytes;
}
