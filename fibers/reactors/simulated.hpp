// simulated: a reactor that never sleeps. When nothing is ready, it moves the virtual time.
//
//     clock::time_point now{24h};
//     simulated_reactor reactor{now, seed};
//     reactor.poll(now + 1h, finished);   // finished is empty and `now` is 25h, or something is
//
// Descriptors are real. Each poll() asks the kernel which pending operations can finish, and a
// random number generator, which begins with the seed, decides the rest: which of them it tries,
// in which order, how late, with how many bytes and with which error.
//
// The kernel delivers over Unix-domain sockets before the call that sends returns. Over loopback
// TCP it may take a moment more, so before time moves, poll() waits a little for such sockets.
#pragma once

#include <fibers/reactor.hpp>
#include <fibers/test.hpp>

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <span>
#include <unordered_map>
#include <vector>

namespace fibers {

class simulated_reactor final : public reactor {
 public:
  // Moves `now`, which must outlive it.
  simulated_reactor(clock::time_point& now, std::uint64_t seed) : now_{now}, random_{seed} {}

  // None of the reactors that io names.
  io backend() const noexcept override { return io::automatic; }

  int adopt(int descriptor) noexcept override;
  void forget(int descriptor) noexcept override;
  void cancel_all(int descriptor) noexcept override;
  bool submit(operation& started) override;
  void no_more_sends(int descriptor) noexcept override { note_use(descriptor); }
  int why_ended(int descriptor) noexcept override;
  bool cancel(operation& cancelled) noexcept override;
  // Throws test::deadlock if time would have to move for ever.
  void poll(time_point deadline, operation_list& finished) override;
  void abandon(operation_list& finished) noexcept override;
  void interrupt() noexcept override { interrupted_ = true; }

  void set(const test::faults& wanted) noexcept { faults_ = wanted; }
  std::uint64_t polls() const noexcept { return polls_; }

  // From now on a deadlock ends the program: the scheduler is being destroyed, and would try again
  // for ever.
  void never_give_up() noexcept { ends_program_ = true; }

 private:
  struct attempt {
    operation* wanted;
    bool possible = false;  // the kernel would not refuse it
    bool drawn = false;     // the next two, when it was possible for the first time
    bool resets = false;    // it meets the end of the connection
    time_point due{};       // it does not finish before
    int outcome = 0;        // of a connect: an errno value, or EINPROGRESS
  };
  // What the reactor knows of a descriptor that was adopted.
  struct state {
    bool network = false;  // not a Unix-domain socket
    bool broken = false;   // a fault has ended the connection
    int untold = 0;        // the error by which a send met that
  };

  std::uint64_t below(std::uint64_t limit) noexcept { return random_() % limit; }
  bool chance(double probability) noexcept;

  int begin_connect(const operation& wanted) noexcept;
  void look(std::span<attempt> at, int milliseconds);
  bool is_due(attempt& of) noexcept;
  void try_all(operation_list& finished);
  bool try_one(attempt& made) noexcept;
  bool moves_bytes(const attempt& made) noexcept;
  bool accepts(operation& accepting) noexcept;
  bool connects(attempt& connecting) noexcept;
  ssize_t transfer(const operation& moved, std::size_t most) noexcept;
  void reset(operation& met) noexcept;
  void note_use(int descriptor) noexcept;
  bool network_delivers();
  time_point next_due() const noexcept;
  [[noreturn]] void report_deadlock() const;
  void give_back_forgotten(operation_list& finished) noexcept;

  clock::time_point& now_;
  std::mt19937_64 random_;
  test::faults faults_;
  std::vector<attempt> attempts_;          // of pending operations, in the order of submission
  std::vector<pollfd> asked_;              // what look() asks the kernel
  std::vector<std::size_t> order_;         // of try_all(): indices into attempts_
  std::unordered_map<int, state> states_;  // of adopted descriptors
  operation_list forgotten_;               // the next poll() gives them back with ECANCELED
  std::atomic<bool> interrupted_{false};
  bool network_used_ = false;  // since poll() has waited for the network
  bool ends_program_ = false;
  std::uint64_t polls_ = 0;
};

}  // namespace fibers
