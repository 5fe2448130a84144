#include <tests/bench/hosts/counting_echo.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw std::system_error{errno, std::generic_category(), what};
}

void permit_many_descriptors() {
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
}

std::uint16_t port_of(int listener) {
  sockaddr_in where{};
  socklen_t length = sizeof where;
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&where), &length) != 0)
    refuse("getsockname");
  return ntohs(where.sin_port);
}

std::string text(const in_addr& address) {
  std::array<char, INET_ADDRSTRLEN> characters{};
  return inet_ntop(AF_INET, &address, characters.data(), characters.size());
}

}  // namespace

bench::descriptor listen_on(const std::string& address, std::uint16_t port, bool is_shared) {
  bench::descriptor listener{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (is_shared) setsockopt(listener.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1)
    errno = EINVAL;
  else if (bind(listener.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) == 0 &&
           listen(listener.get(), 4096) == 0)
    return listener;
  refuse("listen on " + address);
}

counting_echo::counting_echo(bench::descriptor listener, std::string prefix)
    : listener_{std::move(listener)},
      prefix_{std::move(prefix)},
      port_{port_of(listener_.get())},
      stop_{eventfd(0, EFD_CLOEXEC)},
      epoll_{epoll_create1(EPOLL_CLOEXEC)} {
  permit_many_descriptors();
  watch(listener_.get(), EPOLLIN, true);
  watch(stop_.get(), EPOLLIN, true);
  thread_ = std::thread{[this] { serve(); }};
}

counting_echo::~counting_echo() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

echo_counts counting_echo::total() const {
  const std::lock_guard lock{mutex_};
  echo_counts sum;
  for (const auto& [address, counts] : by_address_) {
    sum.accepted += counts.accepted;
    sum.open += counts.open;
    sum.received_bytes += counts.received_bytes;
  }
  return sum;
}

echo_counts counting_echo::of(const std::string& address) const {
  const std::lock_guard lock{mutex_};
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? echo_counts{} : found->second;
}

std::string counting_echo::failure() const {
  const std::lock_guard lock{mutex_};
  return failure_;
}

void counting_echo::watch(int descriptor, std::uint32_t events, bool is_new) {
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  if (epoll_ctl(epoll_.get(), is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) != 0)
    refuse("epoll_ctl");
}

void counting_echo::serve() {
  std::array<epoll_event, 256> ready;
  for (;;) {
    const int count = epoll_wait(epoll_.get(), ready.data(), ready.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int descriptor = ready[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == stop_.get()) return;
      if (descriptor == listener_.get()) accept_all();
      const auto client = clients_.find(descriptor);
      if (client != clients_.end()) serve(client->second);
    }
  }
}

void counting_echo::accept_all() {
  for (;;) {
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    bench::descriptor socket{accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &length,
                                     SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!socket && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (!socket && errno == EAGAIN) return;
    const std::lock_guard lock{mutex_};
    if (!socket) {
      failure_ = std::strerror(errno);
      listener_ = {};  // else it would wake the thread again and again
      return;
    }
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(socket.get(), EPOLLIN, true);
    auto& counts = by_address_[text(peer.sin_addr)];
    ++counts.accepted;
    ++counts.open;
    const int number = socket.get();
    clients_.emplace(number, connection{std::move(socket), &counts, {}});
  }
}

// A client that does not read is not read from.
void counting_echo::serve(connection& client) {
  const bool was_full = !client.unsent.empty();
  if (was_full ? !send(client) : !receive(client)) return close(client);
  const bool is_full = !client.unsent.empty();
  if (is_full != was_full) watch(client.socket.get(), is_full ? EPOLLOUT : EPOLLIN, false);
}

bool counting_echo::receive(connection& client) {
  std::array<char, 16384> bytes;
  const auto size = recv(client.socket.get(), bytes.data(), bytes.size(), 0);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return false;
  {
    const std::lock_guard lock{mutex_};
    client.counts->received_bytes += static_cast<std::uint64_t>(size);
  }
  client.unsent = prefix_;
  client.unsent.append(bytes.data(), static_cast<std::size_t>(size));
  return send(client);
}

bool counting_echo::send(connection& client) {
  const auto size =
      ::send(client.socket.get(), client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  client.unsent.erase(0, static_cast<std::size_t>(size));
  return true;
}

void counting_echo::close(connection& client) {
  {
    const std::lock_guard lock{mutex_};
    --client.counts->open;
  }
  clients_.erase(client.socket.get());
}
