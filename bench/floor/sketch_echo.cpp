// sketch_echo PORT: the least that can be called an echo server on fibers.
//
// One boost::context::fiber per connection and one edge-triggered epoll; no timers, no limits, no
// cancellation, no draining and no other reactor. A client that does not read loses its connection.
// Comparing with it shows what the rest of the library costs:
//
//     bench/run --server 'sketch=sketch_echo {port}' --servers sketch,fibers/epoll
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/context/fiber.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

struct session {
  boost::context::fiber body;  // empty while this fiber runs
  boost::context::fiber loop;  // where resume() continues when this fiber gives way
};

std::vector<session> sessions(65'536);  // index: descriptor

void give_way(session& self) {
  self.loop = std::move(self.loop).resume();
}

void echo(session& self, int client) {
  std::array<char, 1004> bytes{'G', 'O', 'T', ':'};
  for (;;) {
    const auto got = recv(client, bytes.data() + 4, 1000, 0);
    if (got < 0 && errno == EAGAIN) {
      give_way(self);
      continue;
    }
    if (got <= 0 ||
        send(client, bytes.data(), static_cast<std::size_t>(got) + 4, MSG_NOSIGNAL) < got + 4)
      break;
    if (got < 1000) give_way(self);  // a short recv has emptied the socket
  }
  close(client);
}

void accept_all(int epoll, int listener) {
  for (int client; (client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
    auto& added = sessions[static_cast<std::size_t>(client)];
    added.body = boost::context::fiber{[&added, client](boost::context::fiber&& loop) {
      added.loop = std::move(loop);
      echo(added, client);
      return std::move(added.loop);
    }};
    epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.fd = client}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event);
  }
}

int listen_on(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(port));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 ||
      listen(listener, 4096) != 0) {
    std::fprintf(stderr, "sketch_echo: cannot listen on port %d: %s\n", port, std::strerror(errno));
    std::exit(1);
  }
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  const int port = argc == 2 ? std::atoi(argv[1]) : 0;
  if (port < 1 || port > 65'535) {
    std::fprintf(stderr, "sketch_echo: wants a port, 1 to 65535\n");
    return 2;
  }
  const int listener = listen_on(port);
  const int epoll = epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (std::array<epoll_event, 256> events;;) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int ready = events[static_cast<std::size_t>(i)].data.fd;
      if (ready == listener) {
        accept_all(epoll, listener);
        continue;
      }
      auto& resumed = sessions[static_cast<std::size_t>(ready)];
      resumed.body = std::move(resumed.body).resume();
    }
  }
}
