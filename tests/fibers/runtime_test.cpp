// Runtimes, which run a scheduler per thread, and schedulers that spin before they sleep.
#include <fibers/channel.hpp>
#include <fibers/runtime.hpp>

#include <atomic>
#include <barrier>
#include <boost/test/unit_test.hpp>
#include <future>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <tests/fibers/scheduler_fixture.hpp>
#include <tests/fibers/waits.hpp>

namespace {

void wait_for_ever() {
  for (;;) this_fiber::sleep_for(1h);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(runtimes)

BOOST_AUTO_TEST_CASE(each_thread_has_a_scheduler_of_its_own_and_the_caller_has_the_first) {
  fibers::runtime runtime{3, {.backend = backend()}};
  BOOST_TEST(runtime.threads() == 3U);
  std::mutex mutex;
  std::set<fibers::scheduler*> schedulers;
  std::vector<std::thread::id> threads(3);
  runtime.run([&](unsigned index) {
    this_fiber::sleep_for(1ms);
    const std::lock_guard lock{mutex};
    schedulers.insert(&fibers::scheduler::current());
    threads[index] = std::this_thread::get_id();
  });
  BOOST_TEST(schedulers.size() == 3U);
  BOOST_TEST((threads[0] == std::this_thread::get_id()));
  BOOST_TEST((std::set<std::thread::id>(threads.begin(), threads.end()).size() == 3U));
}

BOOST_AUTO_TEST_CASE(no_threads_are_one) {
  BOOST_TEST(fibers::runtime{0}.threads() == 1U);
}

BOOST_AUTO_TEST_CASE(what_a_runtime_takes_it_runs_even_as_it_ends) {
  for (int i = 0; i < 50; ++i) {
    fibers::runtime runtime{1, {.backend = backend()}};
    std::atomic<bool> started{false};
    std::size_t taken = 0;
    std::size_t ran = 0;
    std::jthread other{[&] {
      started.wait(false);
      while (runtime.post(0, [&ran] { ++ran; })) ++taken;
    }};
    runtime.run([&](unsigned) {
      started = true;
      started.notify_one();
      this_fiber::sleep_for(1ms);
    });
    other.join();
    BOOST_TEST(ran == taken);
  }
}

BOOST_AUTO_TEST_CASE(what_the_last_fiber_posts_may_spawn_another_and_stop_reaches_it) {
  fibers::runtime runtime{1, {.backend = backend()}};
  bool spawned = false;
  runtime.run([&](unsigned) {
    BOOST_TEST(runtime.post(0, [&] {
      fibers::scheduler::current().spawn([&] {
        spawned = true;
        runtime.stop();
        this_fiber::sleep_for(1h);
      });
    }));
  });
  BOOST_TEST(spawned);
}

// The threads pass a number round in a ring, and each adds one.
BOOST_AUTO_TEST_CASE(work_crosses_from_thread_to_thread) {
  constexpr int rounds = 300;
  constexpr unsigned threads = 3;
  fibers::runtime runtime{threads, {.backend = backend()}};
  std::vector<fibers::channel<int>*> inbox(threads);
  std::atomic<unsigned> ready{0};
  int last = 0;
  runtime.run([&](unsigned index) {
    fibers::channel<int> mine{rounds};
    inbox[index] = &mine;
    ++ready;
    while (ready < threads) this_fiber::sleep_for(1ms);
    const auto pass_on = [&](int number) {
      const auto next = (index + 1) % threads;
      runtime.post(next, [&inbox, next, number] {
        [[maybe_unused]] const bool there_was_room = inbox[next]->try_push(int{number});
      });
    };
    if (index == 0) pass_on(1);
    for (int i = 0; i < rounds; ++i) {
      const int number = mine.pop().value();
      if (index == 0 && i + 1 == rounds)
        last = number;
      else
        pass_on(number + 1);
    }
  });
  BOOST_TEST(last == rounds * static_cast<int>(threads));
}

BOOST_AUTO_TEST_CASE(the_first_exception_stops_the_others_and_comes_out) {
  fibers::runtime runtime{2, {.backend = backend()}};
  std::atomic<bool> first_is_there{false}, unwound{false};
  const auto start = [&](unsigned index) {
    if (index == 1) {
      while (!first_is_there) this_fiber::sleep_for(1ms);
      throw std::out_of_range{"of the second"};
    }
    first_is_there = true;
    struct at_exit {
      std::atomic<bool>& flag;
      ~at_exit() { flag = true; }
    } guard{unwound};
    wait_for_ever();
  };
  BOOST_CHECK_THROW(runtime.run(start), std::out_of_range);
  BOOST_TEST(unwound.load());
}

BOOST_AUTO_TEST_CASE(of_exceptions_on_two_threads_one_comes_out) {
  fibers::runtime runtime{2, {.backend = backend()}};
  std::barrier both{2};
  const auto start = [&](unsigned) {
    both.arrive_and_wait();
    throw std::out_of_range{"of both"};
  };
  for (int i = 0; i < 10; ++i) BOOST_CHECK_THROW(runtime.run(start), std::out_of_range);
}

BOOST_AUTO_TEST_CASE(any_thread_may_stop_all_and_the_runtime_can_run_again) {
  fibers::runtime runtime{2, {.backend = backend()}};
  for (int i = 0; i < 2; ++i) {
    std::promise<void> running;
    std::jthread other{[&] {
      running.get_future().wait();
      runtime.stop();
    }};
    runtime.run([&](unsigned index) {
      if (index == 0) running.set_value();
      wait_for_ever();
    });
  }
}

BOOST_AUTO_TEST_CASE(a_stop_just_before_it_runs_is_not_lost) {
  fibers::runtime runtime{2, {.backend = backend()}};
  runtime.stop();
  std::atomic<int> started{0};
  const auto start = [&](unsigned) { ++started; };
  runtime.run(start);
  BOOST_TEST(started == 0);
  runtime.run(start);
  BOOST_TEST(started == 2);
}

BOOST_AUTO_TEST_CASE(a_post_to_a_thread_that_has_ended_says_so) {
  fibers::runtime runtime{1, {.backend = backend()}};
  bool ran = false;
  runtime.run([&](unsigned) { BOOST_TEST(runtime.post(0, [&] { ran = true; })); });
  BOOST_TEST(ran);
  BOOST_TEST(!runtime.post(0, [] {}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(spinning)

// A scheduler that sleeps only after ten seconds without an event.
struct spinning_scheduler {
  // For another thread: waits until the loop spins.
  void until_spinning() const {
    while (seen.count() < 100 && seen.sleeps() == 0) std::this_thread::yield();
  }

  const waits seen;
  fibers::scheduler scheduler{{.backend = backend(), .spin = 10s}};
  connection peers;
};

BOOST_FIXTURE_TEST_CASE(a_loop_that_spins_sees_a_timer, spinning_scheduler) {
  scheduler.spawn([&] { this_fiber::sleep_for(2ms); });
  scheduler.run();
  BOOST_TEST(seen.sleeps() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_loop_that_spins_sees_a_descriptor, spinning_scheduler) {
  scheduler.spawn([&] { BOOST_TEST(peers.read() == 'x'); });
  const std::jthread other{[&] {
    until_spinning();
    send_all(peers.far, "x");
  }};
  scheduler.run();
  BOOST_TEST(seen.sleeps() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_loop_that_spins_sees_a_post_at_its_next_look, spinning_scheduler) {
  std::promise<int> posted;
  scheduler.spawn([&] { peers.read(); });
  const std::jthread other{[&] {
    until_spinning();
    scheduler.post([&, looks_before = posted.get_future()]() mutable {
      const int looks = seen.count();
      BOOST_TEST(looks <= looks_before.get() + 1);
      scheduler.stop();
    });
    posted.set_value(seen.count());
  }};
  scheduler.run();
  BOOST_TEST(seen.sleeps() == 0);
}

BOOST_AUTO_TEST_CASE(a_loop_that_has_spun_in_vain_sleeps) {
  const waits seen;
  fibers::scheduler scheduler{{.backend = backend(), .spin = 1ms}};
  connection silent;
  scheduler.spawn([&] { silent.read(); });
  std::jthread other{[&] {
    seen.until_asleep();
    scheduler.post([&] {
      BOOST_TEST(seen.count() > 1);
      BOOST_TEST(seen.sleeps() == 1);
      scheduler.stop();
    });
  }};
  scheduler.run();
}

BOOST_AUTO_TEST_SUITE_END()
