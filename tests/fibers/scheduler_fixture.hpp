// scheduler_fixture: a scheduler on the reactor that this run tests, and helpers for its fibers.
#pragma once

#include <fibers/scheduler.hpp>
#include <fibers/tcp.hpp>

#include <array>
#include <chrono>

#include <tests/fibers/backend.hpp>
#include <tests/fibers/raw_socket.hpp>

using namespace std::chrono_literals;
namespace this_fiber = fibers::this_fiber;

struct scheduler_fixture {
  fibers::scheduler scheduler{backend()};
};

// The two ends of a connection: a stream of the current scheduler and a raw socket.
struct connection {
  connection() {
    std::array<int, 2> ends{};
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    stream = fibers::tcp::stream::from_descriptor(ends[0]);
    far = descriptor{ends[1]};
  }
  char read() {
    char byte = 0;
    stream.read_some(boost::asio::buffer(&byte, 1));
    return byte;
  }
  fibers::tcp::stream stream;
  descriptor far;
};

// Counts the objects of this type that exist, in `present`.
struct guest {
  explicit guest(int& present) : here{present} { ++here; }
  ~guest() { --here; }
  guest(const guest&) = delete;
  guest& operator=(const guest&) = delete;
  int& here;
};
