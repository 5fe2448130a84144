// What crosses threads: post(), the runtime with a scheduler on each, and loops that spin.
#include <fibers/channel.hpp>
#include <fibers/runtime.hpp>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <tests/fibers/scheduler_fixture.hpp>
#include <tests/fibers/waits.hpp>

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// Keeps a loop alive until somebody posts to it.
struct waiting_scheduler : scheduler_fixture {
  void wait_until(const bool& happened) {
    scheduler.spawn("waits", [this, &happened] {
      while (!happened) {
        parked = scheduler.tasks().current();
        scheduler.tasks().park();
        scheduler.tasks().check_cancelled();
      }
    });
  }
  // All may have been posted, and so is run, before the fiber first looks.
  void wake() {
    if (parked != nullptr) scheduler.tasks().wake(*parked);
  }

  fibers::fiber* parked = nullptr;
};

void wait_for_ever() {
  for (;;) this_fiber::sleep_for(1h);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(posting, waiting_scheduler)

BOOST_AUTO_TEST_CASE(what_another_thread_posts_runs_on_the_loops_thread_and_wakes_it) {
  const waits seen;
  bool happened = false;
  std::thread::id where;
  wait_until(happened);
  std::jthread other{[&] {
    seen.until_asleep();
    scheduler.post([&] {
      BOOST_TEST(seen.count() == 1);
      where = std::this_thread::get_id();
      happened = true;
      wake();
    });
  }};
  scheduler.run();
  BOOST_TEST((where == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(a_posted_function_may_spawn_fibers_and_own_what_only_moves) {
  bool happened = false;
  int answer = 0;
  wait_until(happened);
  std::jthread other{[&] {
    scheduler.post([&, box = std::make_unique<int>(42)] {
      scheduler.spawn("asked for", [&, number = *box] {
        this_fiber::yield();
        answer = number;
        happened = true;
        wake();
      });
    });
  }};
  scheduler.run();
  BOOST_TEST(answer == 42);
}

BOOST_AUTO_TEST_CASE(of_many_threads_nothing_is_lost_and_each_keeps_its_order) {
  constexpr int threads = 4, posts = sanitized ? 5'000 : 250'000;
  bool happened = false;
  int received = 0;
  std::vector<int> next(threads);
  std::vector<std::jthread> senders;
  wait_until(happened);
  for (int sender = 0; sender < threads; ++sender) {
    senders.emplace_back([&, sender] {
      for (int i = 0; i < posts; ++i) {
        scheduler.post([&, sender, i] {
          auto& expected = next[static_cast<std::size_t>(sender)];
          if (i == expected) ++expected;
          if (++received == threads * posts) happened = true, wake();
        });
      }
    });
  }
  scheduler.run();
  for (const int each : next) BOOST_TEST(each == posts);
}

// One post a sleep: whoever posts while the loop is falling asleep must not be overlooked.
BOOST_AUTO_TEST_CASE(a_loop_that_is_falling_asleep_is_woken_every_time) {
  constexpr int times = 3000;
  bool happened = false;
  std::atomic<int> answered{0};
  wait_until(happened);
  std::jthread other{[&] {
    for (int i = 0; i < times; ++i) {
      scheduler.post([&, i] {
        answered.store(i + 1);
        if (i + 1 == times) happened = true, wake();
      });
      while (answered.load() <= i) std::this_thread::yield();
    }
  }};
  scheduler.run();
  BOOST_TEST(answered.load() == times);
}

BOOST_AUTO_TEST_CASE(an_exception_leaves_run_and_what_stands_behind_it_is_run_by_the_next) {
  std::string order;
  scheduler.post([&] { order += 'a'; });
  scheduler.post([&]() -> void { throw std::runtime_error{"posted"}; });
  scheduler.post([&] { order += 'b'; });
  scheduler.spawn([] { this_fiber::sleep_for(1ms); });
  BOOST_CHECK_THROW(scheduler.run(), std::runtime_error);
  BOOST_TEST(order == "a");
  scheduler.run();
  BOOST_TEST(order == "ab");
}

BOOST_AUTO_TEST_CASE(what_is_posted_before_run_is_run_and_may_spawn_the_first_fiber) {
  bool ran = false;
  scheduler.post([&] { scheduler.spawn([&] { ran = true; }); });
  scheduler.run();
  BOOST_TEST(ran);
}

BOOST_AUTO_TEST_CASE(what_stands_behind_one_that_threw_is_run_before_what_came_later) {
  std::string order;
  scheduler.post([]() -> void { throw std::runtime_error{"posted"}; });
  scheduler.post([&] { order += 'a'; });
  BOOST_CHECK_THROW(scheduler.run(), std::runtime_error);
  scheduler.post([&] { order += 'b'; });
  scheduler.run();
  BOOST_TEST(order == "ab");
}

// It is all that wakes a fiber that no cancellation may wake.
BOOST_AUTO_TEST_CASE(what_is_posted_while_the_fibers_unwind_is_run) {
  const waits seen;
  std::optional<fibers::scheduler> ending{std::in_place, backend()};
  std::jthread other;
  bool unwound = false;
  ending->spawn([&] {
    try {
      this_fiber::sleep_for(1h);
    } catch (const fibers::cancelled&) {
      auto& tasks = ending->tasks();
      auto& self = *tasks.current();
      other = std::jthread{[&] {
        seen.until_asleep();
        ending->post([&] { tasks.wake(self); });
      }};
      tasks.park_uncancellable();
      other.join();  // the scheduler outlives the call
      unwound = true;
      throw;
    }
  });
  ending->spawn([] { throw std::runtime_error{"leave run()"}; });
  BOOST_CHECK_THROW(ending->run(), std::runtime_error);
  ending.reset();
  BOOST_TEST(unwound);
}

BOOST_AUTO_TEST_CASE(what_is_posted_to_a_loop_that_never_runs_is_dropped_though_it_has_fibers) {
  bool ran = false;
  {
    fibers::scheduler idle{backend()};
    idle.spawn([] { this_fiber::sleep_for(1h); });
    idle.post([&] { ran = true; });
  }
  BOOST_TEST(!ran);
}

BOOST_AUTO_TEST_CASE(what_is_posted_to_a_loop_that_never_runs_is_dropped_with_it) {
  int present = 0;
  {
    fibers::scheduler idle{backend()};
    idle.post([held = std::make_shared<guest>(present)] {});
    BOOST_TEST(present == 1);
  }
  BOOST_TEST(present == 0);
}

BOOST_AUTO_TEST_SUITE_END()

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

// A number goes round: each thread adds one and passes it on.
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
      runtime.post(next, [&inbox, next, number] { inbox[next]->try_push(int{number}); });
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

// Each of these would sleep after ten seconds in which it sees nothing.
struct spinning_scheduler {
  // For another thread: until the loop spins.
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
