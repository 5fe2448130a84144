#include <bench/contract/contract.hpp>

#include <bench/contract/debug_build.hpp>
#include <bench/contract/descriptor.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

namespace bench {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::chrono::milliseconds longest_teardown{1000};
constexpr std::chrono::milliseconds longest_wait_for_port{500};
constexpr int drain_goes_on = SIGUSR1;  // no server has another use for it

struct socket_address {
  sockaddr_storage bytes{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

// `host` is numeric: read_host() in options.cpp accepts nothing else.
socket_address address_of(const std::string& host, std::uint16_t port) {
  socket_address address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.bytes);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.bytes);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.length = sizeof v4;
  } else {
    inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.length = sizeof v6;
  }
  return address;
}

// `path` fits: read_socket_path() in options.cpp checks its length.
socket_address address_of(const std::string& path) {
  socket_address address;
  auto& local = reinterpret_cast<sockaddr_un&>(address.bytes);
  local.sun_family = AF_UNIX;
  path.copy(local.sun_path, sizeof local.sun_path - 1);
  address.length = sizeof local;
  return address;
}

std::string endpoint_text(const server_options& options) {
  if (!options.unix_path.empty()) return options.unix_path;
  const bool v6 = options.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", options.host, options.port)
            : fmt::format("{}:{}", options.host, options.port);
}

std::uint16_t local_port(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  // sin_port and sin6_port are at the same offset.
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

bool no_delay(int socket) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &value, &length) == 0 && value != 0;
}

// False: errno says why. The kernel tears an io_uring down after its process has ended, and until
// then a pending accept keeps the listener of a killed server alive. So this waits a while for an
// address that is in use.
bool bind_when_free(int socket, const socket_address& address) {
  const auto until = clock::now() + longest_wait_for_port;
  while (bind(socket, address.get(), address.length) != 0) {
    if (errno != EADDRINUSE || clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

// Accepted connections inherit TCP_NODELAY from the listener, which saves a setsockopt() each.
int bound_socket(const server_options& options, std::uint16_t port, bool shared) {
  const auto address = address_of(options.host, port);
  const int bound =
      socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (bound < 0) cannot_listen(options, std::strerror(errno));
  const int on = 1;
  setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(bound, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (shared) setsockopt(bound, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (!bind_when_free(bound, address)) cannot_listen(options, std::strerror(errno));
  return bound;
}

// True if the process that called listen() on the other end of `probe` has ended (SO_PEERCRED).
bool owner_has_ended(int probe) {
  ucred owner{};
  socklen_t length = sizeof owner;
  getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &owner, &length);
  return kill(owner.pid, 0) != 0 && errno == ESRCH;
}

// True if no process listens on the Unix socket `path`. The kernel tears an io_uring down after its
// process has ended, and until then a pending accept keeps the listener of a killed server alive.
// So if the owner has ended, this waits for the listener to hang up and tries again.
bool nobody_listens(const std::string& path) {
  const auto address = address_of(path);
  for (const auto until = clock::now() + longest_teardown; clock::now() < until;) {
    const descriptor probe{socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (connect(probe.get(), address.get(), address.length) != 0) return errno == ECONNREFUSED;
    if (!owner_has_ended(probe.get())) return false;
    pollfd hang_up{.fd = probe.get(), .events = 0, .revents = 0};
    poll(&hang_up, 1, static_cast<int>(longest_teardown.count()));
  }
  return false;
}

struct file_identity {
  dev_t device = 0;
  ino_t inode = 0;
  bool is_socket = false;

  bool operator==(const file_identity&) const = default;
};

// nullopt: there is no file.
std::optional<file_identity> identity_of(const std::string& path) {
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0) return std::nullopt;
  return file_identity{file.st_dev, file.st_ino, S_ISSOCK(file.st_mode)};
}

// Removes the file unless another one has taken its place, such as the socket of another server.
void remove_if_still(const std::string& path, const std::optional<file_identity>& file) {
  if (file && identity_of(path) == file) unlink(path.c_str());
}

// Removes the socket file of a server that has ended. Any other file is not removed: exits with 1.
void expect_path_free(const server_options& options) {
  const auto file = identity_of(options.unix_path);
  if (!file) return;
  if (!file->is_socket) cannot_listen(options, "a file that is no socket is in its place");
  if (!nobody_listens(options.unix_path)) cannot_listen(options, std::strerror(EADDRINUSE));
  remove_if_still(options.unix_path, file);
}

std::optional<file_identity> made_socket_file;  // by this process

std::vector<int> listening_on_path(const server_options& options) {
  expect_path_free(options);
  const auto address = address_of(options.unix_path);
  const int first = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (first < 0 || bind(first, address.get(), address.length) != 0 ||
      listen(first, options.backlog) != 0) {
    cannot_listen(options, std::strerror(errno));
  }
  made_socket_file = identity_of(options.unix_path);
  std::vector<int> listeners{first};
  while (static_cast<int>(listeners.size()) < loops(options)) {
    listeners.push_back(fcntl(first, F_DUPFD_CLOEXEC, 0));
  }
  return listeners;
}

void steer_or_exit(const server_options& options, const std::vector<int>& listeners) try {
  steer(listeners, options.steer);
} catch (const std::system_error& error) {
  cannot_listen(options, fmt::format("--steer {}: {}", name_of(options.steer), error.what()));
}

// The first keys of the listening line; further_keys() returns the last ones.
std::string address_keys(const server_options& options, int listener) {
  if (!options.unix_path.empty()) return fmt::format("unix={}", options.unix_path);
  return fmt::format("host={} port={}", options.host, local_port(listener));
}

std::string further_keys(const server_options& options) {
  std::string keys;
  if (options.threads > 1 && !options.shape.empty()) keys += " shape=" + options.shape;
  if (loops(options) > 1 && options.steer != steering::by_hash)
    keys += fmt::format(" steer={}", name_of(options.steer));
  using microseconds = std::chrono::duration<double, std::micro>;
  const microseconds spin = options.spin, window = options.gather.window;
  if (spin.count() > 0) keys += fmt::format(" spin={}us", spin.count());
  if (!options.gather.automatic)
    keys += window.count() > 0 ? fmt::format(" gather={}us", window.count()) : " gather=off";
  if (options.ack > 0) keys += fmt::format(" ack={}", options.ack);
  return keys;
}

// Whether it listens on more than this machine's loopback.
bool others_can_connect(const server_options& options) {
  if (!options.unix_path.empty()) return false;
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, options.host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) != 127;
  inet_pton(AF_INET6, options.host.c_str(), &v6);
  const bool mapped_loopback = IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127;
  return !IN6_IS_ADDR_LOOPBACK(&v6) && !mapped_loopback;
}

int drain_signal = -1;  // what drain_signals() returned

// SIGHUP is one of them unless the process was started to ignore it, as nohup does.
sigset_t draining_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

int loops(const server_options& options) {
  return options.shape == "shared" ? 1 : options.threads;
}

std::size_t connections_per_thread(const server_options& options) {
  if (options.max_connections == 0) return std::numeric_limits<std::size_t>::max();
  const auto sharers = static_cast<std::size_t>(loops(options));
  return options.max_connections / sharers + (options.max_connections % sharers != 0);
}

void expect_port_free(const server_options& options) {
  if (!options.unix_path.empty()) return expect_path_free(options);
  if (loops(options) > 1 && options.port != 0) close(bound_socket(options, options.port, false));
}

std::vector<int> listening_sockets(const server_options& options) {
  if (!options.unix_path.empty()) return listening_on_path(options);
  expect_port_free(options);
  std::vector<int> listeners;
  for (int i = 0; i < loops(options); ++i) {
    const auto port = i == 0 ? options.port : local_port(listeners.front());
    const int listener = bound_socket(options, port, loops(options) > 1);
    if (listen(listener, options.backlog) != 0) cannot_listen(options, std::strerror(errno));
    listeners.push_back(listener);
  }
  if (listeners.size() > 1) steer_or_exit(options, listeners);
  return listeners;
}

void cannot_listen(const server_options& options, std::string_view reason) {
  fmt::print(stderr, "{}: cannot listen on {}: {}\n", options.program, endpoint_text(options),
             reason);
  std::exit(1);
}

void cannot_go_on(const server_options& options, std::string_view reason) {
  static std::atomic_flag said;
  while (said.test_and_set()) pause();  // another thread prints its message
  fmt::print(stderr, "{}: {}\n", options.program, reason);
  std::_Exit(1);
}

std::jthread start_thread(const server_options& options, std::size_t number,
                          std::function<void()> body) try {
  return std::jthread{std::move(body)};
} catch (const std::system_error& error) {
  cannot_go_on(options, fmt::format("start thread {} of {}: {}", number, options.threads,
                                    error.code().message()));
}

void announce(const server_options& options, std::string_view server, std::string_view io,
              int listener) {
  fmt::print("listening {} server={} io={} threads={}{} nodelay={:d} backlog={} pid={}{}{}\n",
             address_keys(options, listener), server, io, options.threads,
             options.buffer > 0 ? fmt::format(" buffer={}", options.buffer) : "",
             !options.unix_path.empty() || no_delay(listener), options.backlog, getpid(),
             further_keys(options), built_for_debugging() ? " debug=1" : "");
  std::fflush(stdout);
  if (!others_can_connect(options)) return;
  fmt::print(stderr, "{}: other machines can connect; there is no password\n", options.program);
}

int drain_signals(const server_options& options) {
  for (const int each : {SIGPIPE, SIGXFSZ}) std::signal(each, SIG_IGN);
  auto signals = draining_signals();
  sigaddset(&signals, drain_goes_on);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  drain_signal = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (drain_signal < 0)
    cannot_go_on(options, fmt::format("wait for signals: {}", std::strerror(errno)));
  return drain_signal;
}

// A signal that is still pending would end the process when a thread admits it, so it is taken. In
// its place another one, which stays blocked, keeps the descriptor readable for the other loops.
void begin_drain(const server_options& options) {
  static std::once_flag once;
  std::call_once(once, [&] {
    if (!options.unix_path.empty()) remove_if_still(options.unix_path, made_socket_file);
    signalfd_siginfo taken;
    while (read(drain_signal, &taken, sizeof taken) > 0) continue;
    kill(getpid(), drain_goes_on);
  });
  const auto signals = draining_signals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

// Reading CLOCK_THREAD_CPUTIME_ID is a system call and takes about 500 ns; steady_clock takes about
// 20 ns. They differ only if the thread is preempted in between, which is rare within a
// microsecond.
void spend_cpu(nanoseconds cost) {
  for (const auto until = std::chrono::steady_clock::now() + cost;
       std::chrono::steady_clock::now() < until;) {
  }
}

}  // namespace bench
