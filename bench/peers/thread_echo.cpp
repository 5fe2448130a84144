// thread_echo: the echo server with a thread per connection and calls that block.
//
// accept_clients(), serve() and echo() are all that serving takes. The other functions do what
// every server under test promises (bench/contract/contract.hpp). One thread accepts, and the main
// thread waits for a signal. On a signal, shutdown() of a socket wakes the thread that blocks in
// it.
#include <bench/contract/contract.hpp>
#include <bench/contract/descriptor.hpp>
#include <bench/contract/standard_descriptors.hpp>

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <list>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace std::chrono_literals;
using bench::descriptor;

// Thousands of threads need small stacks. The buffers are not on them.
constexpr std::size_t stack_bytes = 65'536;
// A send that blocks looks so many times per idle timeout whether it has moved a byte.
constexpr int looks_per_timeout = 8;

struct server;

struct client {
  client(server& whose, descriptor accepted);
  ~client();
  void end(int how) const { ::shutdown(socket.get(), how); }

  server& owner;
  descriptor socket;
  std::string buffer;  // the prefix, and room for one receive
  std::list<client>::iterator position{};
};

struct server {
  server(const bench::server_options& wanted, int listening)
      : options{wanted}, listener{listening} {}

  const bench::server_options& options;
  descriptor listener;
  std::mutex mutex;  // guards all that follows
  std::condition_variable changed;
  std::list<client> clients;
  std::size_t open = 0;  // sockets, also of clients that are just leaving the list
  bool draining = false;
  bench::connection_counts counts;  // the thread that accepts counts all but those that were idle
};

void say_connected(int socket) {
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  ::getpeername(socket, reinterpret_cast<sockaddr*>(&from), &length);
  bench::say_connection_from(from);
}

// Zero would mean no limit, so the least is a microsecond.
void limit(int socket, int direction, std::chrono::nanoseconds most) {
  const auto whole = std::max(std::chrono::ceil<std::chrono::microseconds>(most), 1us);
  const timeval time{.tv_sec = whole / 1s, .tv_usec = (whole % 1s).count()};
  ::setsockopt(socket, SOL_SOCKET, direction, &time, sizeof time);
}

client::client(server& whose, descriptor accepted)
    : owner{whose},
      socket{std::move(accepted)},
      buffer{whose.options.prefix + std::string(whose.options.buffer, '\0')} {
  if (owner.options.idle_timeout > 0ns) {
    limit(socket.get(), SO_RCVTIMEO, owner.options.idle_timeout);
    limit(socket.get(), SO_SNDTIMEO, owner.options.idle_timeout / looks_per_timeout);
  }
  if (!owner.options.quiet) say_connected(socket.get());
}

client::~client() {
  if (owner.options.quiet) return;
  bench::say_connection_closed();
  bench::say_task_done();
}

// False: no byte moved for so long, or the connection has ended; errno tells which.
bool send_all(int socket, std::string_view reply) {
  for (int looks = 0; !reply.empty();) {
    const auto sent = ::send(socket, reply.data(), reply.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      reply.remove_prefix(static_cast<std::size_t>(sent));
      looks = 0;
    } else if (errno != EINTR && (errno != EAGAIN || ++looks == looks_per_timeout)) {
      return false;
    }
  }
  return true;
}

// Answers each receive with the prefix and the received bytes. True if it ended because the client
// was idle. A call with a time limit ends with EINTR when the process was stopped and goes on.
bool echo(const bench::server_options& options, client& peer) {
  auto* room = peer.buffer.data() + options.prefix.size();
  for (;;) {
    const auto size = ::recv(peer.socket.get(), room, options.buffer, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size < 0 && errno == EAGAIN;
    if (options.inject_ns > 0ns) bench::spend_cpu(options.inject_ns);
    const auto reply = options.prefix.size() + static_cast<std::size_t>(size);
    if (!send_all(peer.socket.get(), {peer.buffer.data(), reply})) return errno == EAGAIN;
  }
}

// Takes the client off the list and closes its socket, which takes long. So the mutex is free
// meanwhile. Once a client does not count as open, nothing waits for its thread: a join of each
// would let many threads end only one after the other.
void hang_up(server& self, client& peer) {
  std::list<client> leaving;
  {
    const std::lock_guard lock{self.mutex};
    leaving.splice(leaving.end(), self.clients, peer.position);
  }
  leaving.clear();
  {
    const std::lock_guard lock{self.mutex};
    --self.open;
    self.changed.notify_all();
  }
}

// The thread of a connection.
void* serve(void* argument) {
  auto& peer = *static_cast<client*>(argument);
  auto& self = peer.owner;
  if (echo(self.options, peer)) {
    const std::lock_guard lock{self.mutex};
    ++self.counts.idle;
  }
  hang_up(self, peer);
  return nullptr;
}

// 0, or the error: mostly there is no memory, or the user may have no more threads.
int start(pthread_t& thread, void* (*body)(void*), void* argument) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, stack_bytes);
  const int error = pthread_create(&thread, &small, body, argument);
  pthread_attr_destroy(&small);
  return error;
}

// Where there is no memory for a client or its thread, this client ends and no other.
void admit(server& self, descriptor accepted) try {
  ++self.counts.served;
  std::list<client> coming;
  auto& fresh = coming.emplace_back(self, std::move(accepted));
  fresh.position = coming.begin();
  {
    const std::lock_guard lock{self.mutex};
    self.clients.splice(self.clients.end(), coming);
    ++self.open;
    if (self.draining) fresh.end(SHUT_RD);  // it was accepted while the drain began
  }
  pthread_t thread{};
  if (start(thread, serve, &fresh) == 0) {
    pthread_detach(thread);
    return;
  }
  hang_up(self, fresh);
  ++self.counts.refused;
} catch (const std::bad_alloc&) {
  ++self.counts.refused;
}

// The thread that accepts. It waits outside accept() while there is no room, and for a moment when
// accept() fails, mostly because descriptors have run out.
void* accept_clients(void* argument) {
  auto& self = *static_cast<server*>(argument);
  const auto most = bench::connections_per_thread(self.options);
  for (;;) {
    {
      std::unique_lock lock{self.mutex};
      self.changed.wait(lock, [&] { return self.draining || self.open < most; });
      if (self.draining) return nullptr;
    }
    descriptor accepted{::accept4(self.listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (accepted) {
      admit(self, std::move(accepted));
    } else if (std::unique_lock lock{self.mutex}; !self.draining) {
      self.changed.wait_for(lock, 10ms);
    }
  }
}

void wait_readable(int descriptor) {
  pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
  while (::poll(&waiting, 1, -1) != 1) continue;
}

// Bytes that were received stay readable after SHUT_RD and are answered. Then recv() reports the
// end.
void drain(server& self, pthread_t accepting) {
  bench::begin_drain(self.options);
  const auto none_left = [&] { return self.open == 0; };
  {
    const std::lock_guard lock{self.mutex};
    self.draining = true;
    for (const auto& each : self.clients) each.end(SHUT_RD);
  }
  self.changed.notify_all();
  ::shutdown(self.listener.get(), SHUT_RDWR);
  pthread_join(accepting, nullptr);
  self.listener = {};
  std::unique_lock lock{self.mutex};
  if (!self.changed.wait_for(lock, self.options.drain, none_left)) {
    for (const auto& each : self.clients) each.end(SHUT_RDWR);
    self.changed.wait(lock, none_left);
  }
}

void run(const bench::server_options& options) {
  mallopt(M_ARENA_MAX, 1);  // else memory would depend on how many processors there are
  const int signal = bench::drain_signals(options);
  const int listener = bench::listening_sockets(options).front();
  ::fcntl(listener, F_SETFL, 0);  // it blocks
  // Never destroyed, because the last thread may still be unlocking its mutex.
  static auto& self = *new server{options, listener};
  pthread_t accepting{};
  if (const int error = start(accepting, accept_clients, &self))
    bench::cannot_go_on(options, std::string{"start a thread: "} + std::strerror(error));
  bench::announce(options, "thread", options.io, listener);
  wait_readable(signal);
  drain(self, accepting);
  bench::say_served(options, 0, self.counts);
}

}  // namespace

int main(int argc, char** argv) {
  bench::open_missing_descriptors();
  const auto options = bench::parse_server_options(argc, argv,
                                                   {.name = "thread_echo",
                                                    .io = {"blocking"},
                                                    .automatic = "blocking",
                                                    .styles = {},
                                                    .listens_on_paths = true,
                                                    .thread_per_connection = true});
  try {
    run(options);
  } catch (const std::exception& error) {
    bench::cannot_go_on(options, error.what());
  }
}
