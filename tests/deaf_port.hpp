// deaf_port: a port on loopback that is taken, and on which nothing listens.
//
//     const deaf_port deaf;
//     connect_to("127.0.0.1", deaf.number());   // is refused
//
// A port that was only just freed may be given to another program meanwhile.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <bench/contract/descriptor.hpp>
#include <cerrno>
#include <cstdint>
#include <system_error>

class deaf_port {
 public:
  deaf_port() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof where;
    auto* generic = reinterpret_cast<sockaddr*>(&where);
    if (bind(socket_.get(), generic, length) != 0 ||
        getsockname(socket_.get(), generic, &length) != 0)
      throw std::system_error{errno, std::generic_category(), "deaf_port"};
    number_ = ntohs(where.sin_port);
  }

  std::uint16_t number() const { return number_; }

 private:
  bench::descriptor socket_;
  std::uint16_t number_ = 0;
};
