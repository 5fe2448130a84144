// odd_server MODE [PORT]: a server that listens and then misbehaves in a chosen way.
//
//     wrong   changes one byte of every thousandth reply
//     fixed   sends the same reply whatever it receives
//     short   leaves out the last byte of every reply after the first hundred
//     silent  listens and never answers
//     dies    answers a thousand times and exits with status 7
//     honest  echoes correctly, without a prefix
//     delays  like honest, but sends a reply in pieces, without TCP_NODELAY
//     forks   like honest, but with a process per connection
//     helped  like honest, but starts a process per message and waits for its end
#include <bench/contract/standard_descriptors.hpp>
#include <bench/selftest/odd_server.hpp>

#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace {

odd_behaviour behaviour_of(std::string_view mode) {
  static int replies = 0;
  odd_behaviour behaviour;
  if (mode == "wrong") {
    behaviour.reply = [](std::string_view got) {
      std::string reply{got};
      if (++replies % 1000 == 0) reply[reply.size() / 2] ^= 1;
      return std::string{"GOT:"}.append(reply);
    };
  } else if (mode == "fixed") {
    behaviour.reply = [](std::string_view) { return std::string{"GOT:hello\n"}; };
  } else if (mode == "short") {
    behaviour.reply = [](std::string_view got) {
      if (++replies > 100) got.remove_suffix(1);
      return std::string{"GOT:"}.append(got);
    };
  } else if (mode == "silent") {
    behaviour.reply = [](std::string_view) { return std::string{}; };
  } else if (mode == "dies") {
    behaviour.reply = [](std::string_view got) {
      if (++replies <= 1000) return std::string{got};
      std::fputs("out of patience\n", stderr);
      std::_Exit(7);
    };
  } else if (mode == "delays") {
    behaviour.send_bytes = 40;
    behaviour.no_delay = false;
  } else if (mode == "helped") {
    behaviour.reply = [](std::string_view got) {
      const pid_t helper = fork();
      if (helper == 0) std::_Exit(0);
      waitpid(helper, nullptr, 0);
      return std::string{got};
    };
  }
  return behaviour;
}

void announce(int port) {
  std::printf("listening host=127.0.0.1 port=%d server=odd io=poll threads=1\n", port);
  std::fflush(stdout);
}

[[noreturn]] void echo(int client) {
  std::array<char, 1000> bytes;
  while (true) {
    const auto count = recv(client, bytes.data(), bytes.size(), 0);
    if (count <= 0) std::_Exit(0);
    send(client, bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL);
  }
}

[[noreturn]] void serve_in_processes(std::uint16_t port) {
  signal(SIGCHLD, SIG_IGN);  // children are reaped by the kernel
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&where);
  socklen_t length = sizeof where;
  if (bind(listener, generic, length) != 0 || listen(listener, 1024) != 0 ||
      getsockname(listener, generic, &length) != 0) {
    std::_Exit(1);
  }
  announce(ntohs(where.sin_port));
  while (true) {
    const int client = accept(listener, nullptr, nullptr);
    if (fork() == 0) echo(client);
    close(client);
  }
}

}  // namespace

int main(int argc, char** argv) {
  bench::open_missing_descriptors();
  const std::string_view mode = argc > 1 ? argv[1] : "honest";
  const auto port = static_cast<std::uint16_t>(argc > 2 ? std::atoi(argv[2]) : 0);
  if (mode == "forks") serve_in_processes(port);
  const odd_server server{behaviour_of(mode), port};
  announce(server.port());
  pause();
}
