// The scheduler: how many system calls a wait with a deadline makes, and that none ends early.
#include <fibers/channel.hpp>
#include <fibers/condition_variable.hpp>
#include <fibers/local.hpp>
#include <fibers/mutex.hpp>
#include <fibers/nursery.hpp>
#include <fibers/semaphore.hpp>
#include <fibers/wait_group.hpp>

#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <list>
#include <mutex>

#include <tests/fibers/scheduler_fixture.hpp>
#include <tests/fibers/system_calls.hpp>
#include <tests/fibers/waits.hpp>

// --- system calls ----------------------------------------------------------------------------

namespace {

constexpr int most_calls_per_wait = 3;
// A wait for a descriptor also asks for its state, and adds it to the reactor and removes it.
constexpr int most_calls_per_descriptor = 8;

// Without reads of the clock, which are system calls where the clock source has no vDSO.
int calls(const system_calls& counted) {
  return counted.total() - counted.of(SYS_clock_gettime);
}

// Calls `wait` so many times and counts the system calls. A first call is not counted, because it
// registers descriptors and touches memory.
class repeater {
 public:
  explicit repeater(int times) : times_{times} {}

  template <class Wait>
  void operator()(Wait wait) const {
    wait();
    start_counting();
    for (int i = 0; i < times_; ++i) wait();
    stop_counting();
  }

 private:
  int times_;
};

// A fiber calls `prepare(scheduler, repeat)`, which calls repeat(wait).
template <class Prepare>
void check_calls_per_wait(int times, Prepare prepare, int most = most_calls_per_wait) {
  const auto counted = count_system_calls([&] {
    fibers::scheduler scheduler{backend()};
    scheduler.spawn("waits", [&] { prepare(scheduler, repeater{times}); });
    scheduler.run();
  });
  BOOST_TEST_CONTEXT(times << " times: " << counted) {
    BOOST_TEST(calls(counted) <= most * times);
  }
}

constexpr int often = 50;
constexpr auto briefly = 1ms;

}  // namespace

BOOST_AUTO_TEST_SUITE(calls_per_wait, *boost::unit_test::precondition(system_calls_can_be_counted))

BOOST_AUTO_TEST_CASE(a_sleep_takes_at_most_three_system_calls) {
  struct {
    int times;
    fibers::clock::duration length;
  } const sleeps[] = {{100, 1ms}, {50, 5ms}, {5, 100ms}, {3, 250ms}};
  for (const auto& each : sleeps) {
    check_calls_per_wait(each.times, [&](auto&, auto repeat) {
      repeat([&] { this_fiber::sleep_for(each.length); });
    });
  }
}

BOOST_AUTO_TEST_CASE(many_sleepers_take_at_most_three_system_calls_per_sleep) {
  constexpr int times = 20;
  for (const int sleepers : {5, 100}) {
    const auto counted = count_system_calls([&] {
      fibers::scheduler scheduler{backend()};
      scheduler.spawn("parent", [&] {
        fibers::nursery group;
        for (int i = 0; i < sleepers; ++i) {
          group.spawn("sleeper", [&, i] {
            this_fiber::sleep_for((i + 1) * 1'000us / sleepers);  // spreads them
            for (int sleep = 1; sleep < times; ++sleep) this_fiber::sleep_for(1ms);
          });
        }
        start_counting();
        group.join();
        stop_counting();
      });
      scheduler.run();
    });
    BOOST_TEST_CONTEXT(sleepers << " sleepers: " << counted) {
      BOOST_TEST(calls(counted) <= most_calls_per_wait * sleepers * times);
    }
  }
}

BOOST_AUTO_TEST_CASE(waiting_for_a_condition_takes_at_most_three_system_calls) {
  check_calls_per_wait(often, [](auto&, auto repeat) {
    fibers::mutex door;
    fibers::condition_variable never_notified;
    std::unique_lock lock{door};
    repeat(
        [&] { BOOST_TEST((never_notified.wait_for(lock, briefly) == std::cv_status::timeout)); });
  });
}

BOOST_AUTO_TEST_CASE(waiting_to_pop_takes_at_most_three_system_calls) {
  check_calls_per_wait(often, [](auto&, auto repeat) {
    fibers::channel<int> empty;
    repeat([&] { BOOST_TEST(!empty.pop_for(briefly).has_value()); });
  });
}

BOOST_AUTO_TEST_CASE(waiting_to_push_takes_at_most_three_system_calls) {
  check_calls_per_wait(often, [](auto&, auto repeat) {
    fibers::channel<int> full;
    repeat([&] { BOOST_TEST((full.push_for(1, briefly) == fibers::channel_status::timeout)); });
  });
}

BOOST_AUTO_TEST_CASE(waiting_for_a_permit_takes_at_most_three_system_calls) {
  check_calls_per_wait(often, [](auto&, auto repeat) {
    fibers::semaphore none{0};
    repeat([&] { BOOST_TEST(!none.try_acquire_for(briefly)); });
  });
}

BOOST_AUTO_TEST_CASE(waiting_for_a_lock_takes_at_most_three_system_calls) {
  check_calls_per_wait(often, [](auto& scheduler, auto repeat) {
    fibers::mutex door;
    auto inside = scheduler.spawn("inside", [&] {
      const std::lock_guard lock{door};
      this_fiber::sleep_for(1h);
    });
    this_fiber::yield();
    repeat([&] { BOOST_TEST(!door.try_lock_for(briefly)); });
    inside.cancel();
    this_fiber::yield();
  });
}

BOOST_AUTO_TEST_CASE(waiting_for_a_wait_group_takes_at_most_three_system_calls) {
  check_calls_per_wait(often, [](auto&, auto repeat) {
    fibers::wait_group expects_one;
    expects_one.add();
    repeat([&] { BOOST_TEST(!expects_one.wait_for(briefly)); });
  });
}

BOOST_AUTO_TEST_CASE(waiting_for_a_nursery_takes_at_most_three_system_calls) {
  check_calls_per_wait(often, [](auto&, auto repeat) {
    fibers::nursery group;
    group.spawn("child", [] { this_fiber::sleep_for(1h); });
    repeat([&] { BOOST_TEST(!group.join_for(briefly)); });
  });
}

BOOST_AUTO_TEST_CASE(waiting_for_another_fiber_takes_at_most_three_system_calls) {
  check_calls_per_wait(often, [](auto& scheduler, auto repeat) {
    auto other = scheduler.spawn("other", [] { this_fiber::sleep_for(1h); });
    repeat([&] { BOOST_TEST(!other.wait_for(briefly)); });
    other.cancel();
  });
}

BOOST_AUTO_TEST_CASE(waiting_until_readable_takes_at_most_eight_system_calls) {
  check_calls_per_wait(
      often,
      [](auto&, auto repeat) {
        const local_pair silent;
        repeat([&] { BOOST_TEST(!this_fiber::wait_readable_for(silent.near.get(), briefly)); });
      },
      most_calls_per_descriptor);
}

BOOST_AUTO_TEST_CASE(waiting_until_writable_takes_at_most_eight_system_calls) {
  check_calls_per_wait(
      often,
      [](auto&, auto repeat) {
        const local_pair full;
        fill(full.near);
        repeat([&] { BOOST_TEST(!this_fiber::wait_writable_for(full.near.get(), briefly)); });
      },
      most_calls_per_descriptor);
}

BOOST_AUTO_TEST_CASE(a_read_that_times_out_takes_at_most_three_system_calls) {
  check_calls_per_wait(often, [](auto&, auto repeat) {
    connection silent;
    repeat([&] {
      char byte = 0;
      boost::system::error_code error;
      silent.stream.expires_after(briefly);
      silent.stream.read_some(boost::asio::buffer(&byte, 1), error);
      BOOST_TEST(error == boost::asio::error::timed_out);
    });
  });
}

BOOST_AUTO_TEST_CASE(an_accept_that_times_out_takes_at_most_three_system_calls) {
  check_calls_per_wait(often, [](auto&, auto repeat) {
    fibers::tcp::listener listener{"127.0.0.1", 0};
    repeat([&] {
      boost::system::error_code error;
      listener.expires_after(briefly);
      listener.accept(error);
      BOOST_TEST(error == boost::asio::error::timed_out);
    });
  });
}

BOOST_AUTO_TEST_SUITE_END()

// --- spinning --------------------------------------------------------------------------------

BOOST_AUTO_TEST_SUITE(spinning)

// On a slow machine the deadline may pass before the loop sleeps.
BOOST_AUTO_TEST_CASE(the_time_spent_looking_is_not_waited_for_again) {
  const waits seen;
  fibers::scheduler scheduler{{.backend = backend(), .spin = 5ms}};
  const auto deadline = fibers::clock::now() + 20ms;
  scheduler.spawn([&] { this_fiber::sleep_until(deadline); });
  scheduler.run();
  BOOST_TEST(seen.sleeps() <= 1);
  BOOST_TEST((seen.sleeps() == 0 || seen.end_at(deadline)));
}

BOOST_AUTO_TEST_SUITE_END()

// --- never early -----------------------------------------------------------------------------

namespace {

using wait_for = void (*)(fibers::clock::duration);

constexpr int starts = 40;

// Starts waits one after the other, and expects that none is shorter than `asked`. A kernel tick is
// no multiple of `pause`, so the waits begin at different moments within a tick.
void check_never_early(fibers::scheduler& scheduler, fibers::clock::duration asked, wait_for wait,
                       fibers::clock::duration pause = 170us) {
  auto shortest = fibers::clock::duration::max();
  int ended = 0;
  scheduler.spawn("starts them", [&] {
    for (int i = 0; i < starts; ++i) {
      this_fiber::sleep_for(pause);
      scheduler.spawn("waits", [&] {
        const auto begin = fibers::clock::now();
        wait(asked);
        shortest = std::min(shortest, fibers::clock::now() - begin);
        ++ended;
      });
    }
  });
  scheduler.run();
  BOOST_TEST(ended == starts);
  BOOST_TEST(shortest.count() >= asked.count());
}

void read_in_vain(fibers::clock::duration asked) {
  connection silent;
  char byte = 0;
  boost::system::error_code error;
  silent.stream.expires_after(asked);
  silent.stream.read_some(boost::asio::buffer(&byte, 1), error);
  BOOST_TEST(error == boost::asio::error::timed_out);
}

// The library reads only a coarse clock while the next timer is farther away than this.
constexpr auto far_away = 200ms;
constexpr fibers::clock::duration lengths[] = {
    300us, 1ms, 4ms, 15ms, far_away - 1ns, far_away, far_away + 50ms};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(times, scheduler_fixture)

BOOST_AUTO_TEST_CASE(no_sleep_ends_early) {
  for (const auto length : lengths) check_never_early(scheduler, length, this_fiber::sleep_for);
}

BOOST_AUTO_TEST_CASE(no_limit_passes_early) {
  for (const auto length : lengths) check_never_early(scheduler, length, read_in_vain);
}

// An idle processor may get no ticks, so the coarse clock, the time of the last tick, stands still.
BOOST_AUTO_TEST_CASE(no_time_is_cut_short_after_an_idle_wait) {
  constexpr auto idle = 20'170us;
  check_never_early(scheduler, far_away, this_fiber::sleep_for, idle);
  check_never_early(scheduler, far_away, read_in_vain, idle);
}

BOOST_AUTO_TEST_CASE(sleeps_and_time_limits_take_any_unit_and_any_clock) {
  using float_seconds = std::chrono::duration<double>;
  using std::chrono::hours;
  using std::chrono::system_clock;
  scheduler.spawn([&] {
    const auto begin = fibers::clock::now();
    this_fiber::sleep_for(float_seconds{0.001});
    BOOST_TEST((fibers::clock::now() - begin >= 1ms));
    this_fiber::sleep_for(hours::min());
    this_fiber::sleep_until(system_clock::now() + 1ms);
    connection silent;
    const int descriptor = silent.stream.native_handle();
    BOOST_TEST(!this_fiber::wait_readable_for(descriptor, float_seconds{0.001}));
    BOOST_TEST(!this_fiber::wait_readable_until(descriptor, system_clock::now() + 1ms));
    BOOST_TEST(this_fiber::wait_writable_for(descriptor, hours::max()));
    BOOST_TEST(this_fiber::wait_writable_until(descriptor, system_clock::now() + 1h));
    char byte = 0;
    boost::system::error_code error;
    const auto read = [&] { silent.stream.read_some(boost::asio::buffer(&byte, 1), error); };
    silent.stream.expires_after(float_seconds{0.001});
    read();
    BOOST_TEST((error == boost::asio::error::timed_out));
    silent.stream.expires_at(system_clock::now() + 1ms);
    read();
    BOOST_TEST((error == boost::asio::error::timed_out));
    silent.stream.expires_when_idle(float_seconds{0.001});
    read();
    BOOST_TEST((error == boost::asio::error::timed_out));
    silent.stream.expires_after(hours::max());
    scheduler.spawn([&] { send_all(silent.far, "x"); });
    read();
    BOOST_TEST(byte == 'x');
  });
  scheduler.run();
}

BOOST_AUTO_TEST_SUITE_END()
