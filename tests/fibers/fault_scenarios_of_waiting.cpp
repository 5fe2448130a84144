// Faults strike fibers that wait: for time, for each other, for other threads, for descriptors.
#include <fibers/channel.hpp>
#include <fibers/condition_variable.hpp>
#include <fibers/fiber_handle.hpp>
#include <fibers/local.hpp>
#include <fibers/mutex.hpp>
#include <fibers/nursery.hpp>
#include <fibers/runtime.hpp>
#include <fibers/semaphore.hpp>

#include <tests/fibers/fault_scenarios.hpp>
#include <tests/fibers/scheduler_fixture.hpp>

#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Sleeps, a deadline that passes, a cancellation, and descriptors of other kinds.
void waits(outcome& result) {
  fibers::scheduler scheduler{backend()};
  std::array<int, 2> pipe{};
  checked(::pipe2(pipe.data(), O_CLOEXEC), "pipe2");
  const descriptor read_end{pipe[0]}, write_end{pipe[1]};
  auto sleeper = scheduler.spawn("sleeper", [] { this_fiber::sleep_for(10s); });
  scheduler.spawn("waits", [&] {
    report(result, [&] {
      this_fiber::sleep_for(1ms);
      error_code error;
      const bool early = this_fiber::wait_readable_for(read_end.get(), 1ms, error);
      result.fails_if(error);
      result.expect(!early);
      this_fiber::wait_writable(write_end.get(), error);
      result.fails_if(error);
      checked(static_cast<int>(::write(write_end.get(), "x", 1)), "write");
      const bool ready = this_fiber::wait_readable_for(read_end.get(), long_enough, error);
      result.fails_if(error);
      result.expect(result.failed || ready);
    });
    sleeper.cancel();
  });
  scheduler.run();
}

// Stacks of a new size, results, exceptions and children.
void fibers_of_a_crowd(outcome& result) {
  static std::size_t stack_size = 64 * 1024;
  stack_size += 4096;
  fibers::scheduler scheduler{{.backend = backend(), .stack_size = stack_size}};
  scheduler.spawn("parent", [&] {
    report(result, [&] {
      int sum = 0;
      fibers::nursery children;
      for (int i = 0; i < 20; ++i) {
        children.spawn("child", [&] {
          this_fiber::yield();
          ++sum;
        });
      }
      children.join();
      result.expect(sum == 20);
    });
  });
  scheduler.run();
}

// Many sleeps that end in another order than they begin, and some that are cancelled.
void timers(outcome& result) {
  constexpr int sleepers = 30;
  fibers::scheduler scheduler{backend()};
  std::array<int, sleepers> rung{};
  int count = 0;
  const auto start = fibers::clock::now() + 500us;
  for (int i = 0; i < sleepers; ++i) {
    const int moment = i * 7 % sleepers;
    scheduler.spawn("sleeper", [&, moment] {
      this_fiber::sleep_until(start + moment * 100us);
      rung[static_cast<std::size_t>(count++)] = moment;
    });
  }
  scheduler.spawn("cancels", [&] {
    report(result, [&] {
      fibers::nursery longer;
      for (int i = 0; i < 5; ++i) longer.spawn("longer", [] { this_fiber::sleep_for(10s); });
      this_fiber::sleep_for(1ms);
      longer.cancel();
      longer.join();
    });
  });
  scheduler.run();
  result.expect(count == sleepers && std::is_sorted(rung.begin(), rung.end()));
}

// Takes a socket pair for a moment: reads what never comes.
void read_for_ever() {
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  const descriptor far{ends[1]};
  descriptor near{ends[0]};
  auto stream = fibers::local::stream::from_descriptor(near.get());
  static_cast<void>(near.release());
  char byte = 0;
  stream.read_some(asio::buffer(&byte, 1));
}

// A child fails while its siblings wait for time, for a socket and for each other.
void failing_children(outcome& result) {
  fibers::scheduler scheduler{backend()};
  scheduler.spawn("parent", [&] {
    report(result, [&] {
      for (int round = 0; round < 2; ++round) {
        fibers::channel<int> never;
        fibers::nursery children;
        for (int i = 0; i < 2; ++i) {
          children.spawn("reads", read_for_ever);
          children.spawn("sleeps", [] { this_fiber::sleep_for(10s); });
          children.spawn("pops", [&] { never.pop(); });
        }
        children.spawn("fails", [] {
          this_fiber::sleep_for(200us);
          throw std::runtime_error{"child"};
        });
        bool told = false;
        try {
          children.join();
        } catch (const std::exception& error) {
          told = true;
          if (std::string_view{error.what()} != "child") result.failed = true;
        }
        result.expect(told);
      }
    });
  });
  scheduler.run();
}

// Numbers come from a thread, by posts that spawn fibers, through a channel.
void posts_from_a_thread(outcome& result) {
  constexpr int numbers = 12;
  fibers::channel<int> channel{2};
  fibers::scheduler scheduler{backend()};
  int sum = 0;
  scheduler.spawn("sums", [&] {
    report(result, [&] {
      const auto last = fibers::clock::now() + long_enough;
      for (int i = 0; i < numbers; ++i) {
        const auto next = channel.pop_until(last);
        if (!next) result.failed = true;
        if (!next) return;
        sum += *next;
      }
    });
    channel.close();
  });
  const std::jthread poster{[&] {
    for (int i = 1; i <= numbers; ++i)
      scheduler.post([&, i] { scheduler.spawn("pushes", [&, i] { channel.push(i); }); });
  }};
  scheduler.run();
  result.expect(result.failed || sum == numbers * (numbers + 1) / 2);
}

// Sends some bytes from one fiber to another, over a socket.
bool talk() {
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  descriptor near{ends[0]}, far{ends[1]};
  auto from = fibers::local::stream::from_descriptor(near.get());
  static_cast<void>(near.release());
  auto to = fibers::local::stream::from_descriptor(far.get());
  static_cast<void>(far.release());
  from.expires_after(long_enough);
  to.expires_after(long_enough);
  fibers::nursery writer;
  writer.spawn("writes", [&] { asio::write(from, asio::buffer("over there", 10)); });
  std::array<char, 10> got{};
  asio::read(to, asio::buffer(got));
  writer.join();
  return std::string_view{got.data(), got.size()} == "over there";
}

// Three loops that talk and post to each other. What was accepted must have run.
void several_loops(outcome& result) {
  constexpr unsigned loops = 3;
  fibers::runtime runtime{loops, {.backend = backend()}};
  std::atomic<int> accepted{0}, ran{0}, wrong{0};
  runtime.run([&](unsigned index) {
    for (unsigned other = 0; other < loops; ++other)
      if (runtime.post(other, [&] { ++ran; })) ++accepted;
    if (!talk()) ++wrong;
    for (unsigned other = index; other < loops; ++other)
      if (runtime.post(other, [&] { ++ran; })) ++accepted;
  });
  result.expect(wrong == 0 && ran == accepted);
}

// Fibers that take turns with a lock, permits and a condition.
void turns(outcome& result) {
  constexpr int workers = 10;
  fibers::scheduler scheduler{backend()};
  fibers::mutex mutex;
  fibers::semaphore permits{3};
  fibers::condition_variable changed;
  int inside = 0, done = 0;
  for (int i = 0; i < workers; ++i) {
    scheduler.spawn("worker", [&] {
      report(result, [&] {
        if (!permits.try_acquire_for(long_enough)) result.failed = true;
        if (result.failed) return;
        result.expect(++inside <= 3);
        this_fiber::sleep_for(50us);
        --inside;
        permits.release();
        const std::lock_guard lock{mutex};
        ++done;
        changed.notify_all();
      });
    });
  }
  scheduler.spawn("waits for all", [&] {
    report(result, [&] {
      std::unique_lock lock{mutex};
      const bool all = changed.wait_for(lock, long_enough, [&] { return done == workers; });
      result.expect(all || result.failed);
    });
  });
  scheduler.run();
}

// Waits until it can be written, writes 8 bytes, waits until they can be read, and reads them.
void pass_through(int write_end, int read_end, outcome& result) {
  std::uint64_t sent = 5, got = 0;
  error_code error;
  const bool room = this_fiber::wait_writable_for(write_end, long_enough, error);
  result.fails_if(error);
  if (!room) result.failed = true;
  if (result.failed) return;
  checked(static_cast<int>(::write(write_end, &sent, sizeof sent)), "write");
  const bool ready = this_fiber::wait_readable_for(read_end, long_enough, error);
  result.fails_if(error);
  if (!ready) result.failed = true;
  if (result.failed) return;
  // readv() has no faults.
  iovec where{&got, sizeof got};
  result.expect(::readv(read_end, &where, 1) == sizeof got && got == sent);
}

// A pipe, an eventfd and a pair of datagram sockets, which no stream takes over.
void other_descriptors(outcome& result) {
  fibers::scheduler scheduler{backend()};
  std::array<int, 2> pipe{}, datagrams{};
  checked(::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK), "pipe2");
  const descriptor read_end{pipe[0]}, write_end{pipe[1]};
  checked(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, datagrams.data()),
          "socketpair");
  const descriptor from{datagrams[0]}, to{datagrams[1]};
  const descriptor event{checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")};
  const auto passes = [&](int write_to, int read_from) {
    scheduler.spawn("passes", [&result, write_to, read_from] {
      report(result, [&] {
        for (int i = 0; i < 3 && !result.failed; ++i) pass_through(write_to, read_from, result);
      });
    });
  };
  passes(write_end.get(), read_end.get());
  passes(from.get(), to.get());
  passes(event.get(), event.get());
  scheduler.run();
}

}  // namespace

std::span<const fault_scenario> waiting_scenarios() {
  static constexpr std::array all{fault_scenario{"waits", waits},
                                  fault_scenario{"fibers_of_a_crowd", fibers_of_a_crowd},
                                  fault_scenario{"timers", timers},
                                  fault_scenario{"failing_children", failing_children},
                                  fault_scenario{"posts_from_a_thread", posts_from_a_thread},
                                  fault_scenario{"several_loops", several_loops},
                                  fault_scenario{"turns", turns},
                                  fault_scenario{"other_descriptors", other_descriptors}};
  return all;
}
