// test: tests of fibers in a simulated world, without waiting and without a network.
//
//     fibers::test::simulation world;
//     auto [client, server] = world.pair();
//     world.spawn("session", [&, stream = std::move(server)]() mutable {
//       stream.expires_after(1h);
//       stream.read_some(buffer, error);      // the client says nothing
//     });
//     world.run();                // takes no time; error is timed_out, world.elapsed() is 1h
//
// Time is virtual: it stands still while a fiber runs, and when all fibers wait, it moves to the
// next deadline. So a test may take years, and a deadline passes at exactly its time. Which
// operation finishes first, and which faults happen, follows from the seed: the same seed gives the
// same run, and another seed another one. A test that tries many seeds prints the one that failed.
//
// The fibers use the library as ever. Streams are real sockets of the kernel, which delivers over a
// Unix-domain socket at once: pair(), and fibers::local. Loopback TCP works too, but there the
// kernel decides the order, so the seed does not decide all. A time of another clock, such as
// system_clock, is converted by its distance from that clock's present.
#pragma once

#include <fibers/scheduler.hpp>
#include <fibers/tcp.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace fibers {
class simulated_reactor;
}

namespace fibers::test {

// How often each fault happens: 0 is never, 1 is always.
struct faults {
  double short_counts = 0;  // a read or a write moves fewer bytes than it could, at least one
  double delays = 0;        // an operation that could finish takes up to longest_delay more
  clock::duration longest_delay = std::chrono::milliseconds{100};
  double resets = 0;     // a read or a write fails with connection_reset or timed_out: the peer is
                         // gone, and finds that the stream has ended
  double refusals = 0;   // a connect fails with connection_refused or timed_out
  double shortages = 0;  // an accept finds no free descriptor (EMFILE): accept() waits 10 ms
};

// Every fiber waits, and nothing will ever happen: no operation can finish, no timer is armed.
class deadlock : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// A scheduler in virtual time. While it exists, the time of its thread is virtual, so no other
// scheduler of this thread should run. Other threads keep the real time. Nothing waits for them: a
// simulated fiber that waits for a post of another thread is in a deadlock.
class simulation {
 public:
  // Throws std::bad_alloc.
  explicit simulation(std::uint64_t seed = 0, std::size_t stack_size = default_stack_size);
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  // Cancels the remaining fibers and runs until they have unwound, in virtual time. If they never
  // do, it prints that and terminates the program.
  ~simulation();

  // See scheduler::spawn().
  template <std::invocable Body>
  auto spawn(std::string_view name, Body&& body) {
    return scheduler_->spawn(name, std::forward<Body>(body));
  }
  template <std::invocable Body>
  auto spawn(Body&& body) {
    return scheduler_->spawn(std::forward<Body>(body));
  }

  // See scheduler::run(). Throws `deadlock`, and names the fibers that wait; they still do. May be
  // called again after any exception.
  void run();

  // The virtual time. It begins at the same moment in every simulation.
  clock::time_point now() const noexcept { return now_; }
  clock::duration elapsed() const noexcept;

  // Two streams that are connected with each other. Throws boost::system::system_error, and
  // std::logic_error if scheduler::current() is another one.
  std::pair<tcp::stream, tcp::stream> pair();

  // From now on these faults happen. Before the first call there are none, and only the order
  // follows from the seed. A longest_delay of zero or less delays nothing.
  void faults(const test::faults& wanted) noexcept;

  fibers::scheduler& scheduler() noexcept { return *scheduler_; }

  // How often the scheduler has looked for events. It tells more of the work of a long run than its
  // duration.
  std::uint64_t polls() const noexcept;

 private:
  clock::time_point now_;
  virtual_clock in_force_{now_};
  simulated_reactor* reactor_;  // the scheduler's
  std::unique_ptr<fibers::scheduler> scheduler_;
};

}  // namespace fibers::test
