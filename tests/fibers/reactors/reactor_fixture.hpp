// reactor_fixture: a reactor, a TCP connection, and operations without fibers.
//
// The reactor has adopted `near`; `far` is a blocking socket.
#pragma once

#include <fibers/reactor.hpp>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tests/fibers/backend.hpp>
#include <tests/fibers/raw_socket.hpp>

using fibers::operation;
using fibers::operation_list;

// An operation that owns its buffer.
struct request : operation {
  request(kind what, int descriptor, std::size_t room)
      : request{what, descriptor, std::string(room, '\0')} {}
  request(kind what, int descriptor, std::string content)
      : operation{what, descriptor}, bytes{std::move(content)} {
    buffer(bytes.data(), bytes.size());
  }
  std::string text() const { return bytes.substr(0, result()); }

  std::string bytes;
};

// For facts that only io_uring has.
inline boost::test_tools::assertion_result has_a_ring(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result does{backend() == fibers::io::io_uring};
  does.message() << "the other reactors keep nothing";
  return does;
}

// For facts about bytes that the reactor has.
inline boost::test_tools::assertion_result has_bytes(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result does{keeps_bytes()};
  does.message() << "the kernel has all bytes";
  return does;
}

inline boost::test_tools::assertion_result has_no_ring(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result does{backend() != fibers::io::io_uring};
  does.message() << "only the other reactors do so";
  return does;
}

class reactor_fixture : public tcp_pair {
 public:
  reactor_fixture() : reactor{fibers::make_reactor(backend())} {
    BOOST_REQUIRE(reactor->adopt(near.get()) == 0);
  }
  ~reactor_fixture() {
    if (near.get() >= 0) reactor->forget(near.get());
  }

  void start(operation& started) { reactor->submit(started); }

  // Polls once. Waits at most `timeout`; without one, until something happens.
  void poll(std::optional<std::chrono::nanoseconds> timeout) {
    using fibers::reactor;
    operation_list finished;
    this->reactor->poll(!timeout ? reactor::when_something_happens
                        : *timeout <= std::chrono::nanoseconds::zero()
                            ? reactor::at_once
                            : std::chrono::steady_clock::now() + *timeout,
                        finished);
    finished.clear();
  }

  // Polls until the operation has finished and the reactor has no work left that needs a poll.
  void finish(operation& waited_for) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!waited_for.finished()) {
      BOOST_REQUIRE(std::chrono::steady_clock::now() < patience);
      poll(std::chrono::seconds{1});
    }
    while (reactor->must_poll()) poll(std::chrono::nanoseconds::zero());
  }

  void take_back(operation& cancelled) {
    if (!reactor->cancel(cancelled)) finish(cancelled);
  }

  // Starts sends until one is pending. A reactor may copy the first ones into its own buffers.
  request& send_until_pending(const descriptor& to) {
    for (;;) {
      auto& send = sends_.emplace_back(request::kind::send, to.get(), std::string(4096, 'y'));
      if (!reactor->submit(send)) return send;
      BOOST_REQUIRE(send.error() == 0);
      poll(std::chrono::nanoseconds::zero());
    }
  }
  std::size_t sends() const { return sends_.size(); }

  std::unique_ptr<fibers::reactor> reactor;

 private:
  std::list<request> sends_;
};
