// Functions that other threads post run on the loop's thread, wake the loop, and are never lost.
#include <fibers/scheduler.hpp>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tests/fibers/scheduler_fixture.hpp>
#include <tests/fibers/waits.hpp>
#include <tests/sanitized.hpp>

namespace {

// Its fiber keeps the loop running until a posted function sets `happened` and wakes the fiber.
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
  // The posted function may run before the fiber has started. Then there is nothing to wake.
  void wake() {
    if (parked != nullptr) scheduler.tasks().wake(*parked);
  }

  fibers::fiber* parked = nullptr;
};

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

// The loop falls asleep after each post. The next post may come at that moment and must wake it.
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

// Only the posted function wakes the fiber, which waits in park_uncancellable().
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
      other.join();  // post() returns before the scheduler is destroyed
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

// Posts another one when it is destroyed, `generations` times, and at last calls a function.
struct posts_when_destroyed {
  posts_when_destroyed(fibers::post_queue& to, int generations, std::function<void()> at_last)
      : posts{&to}, left{generations}, last{std::move(at_last)} {}
  posts_when_destroyed(posts_when_destroyed&& other) noexcept
      : posts{std::exchange(other.posts, nullptr)}, left{other.left}, last{std::move(other.last)} {}
  ~posts_when_destroyed() {
    if (posts == nullptr) return;
    if (left > 0) {
      static_cast<void>(posts->push([next = posts_when_destroyed{*posts, left - 1, last}] {}));
    } else {
      last();
    }
  }

  fibers::post_queue* posts;
  int left;
  std::function<void()> last;
};

BOOST_AUTO_TEST_CASE(posts_of_dropped_posts_are_dropped_with_them) {
  for (const int generations : {1, 2, 5}) {
    int dropped = 0;
    {
      fibers::post_queue posts;
      static_cast<void>(
          posts.push([first = posts_when_destroyed{posts, generations, [&] { ++dropped; }}] {}));
    }
    BOOST_TEST(dropped == 1);
  }
}

// The first post throws, so the second is left when the last fiber has unwound.
BOOST_AUTO_TEST_CASE(a_fiber_that_a_dropped_post_spawns_is_unwound_with_the_scheduler) {
  int present = 0;
  bool spawned = false;
  std::optional<fibers::scheduler> ending{std::in_place, backend()};
  ending->spawn([&] {
    try {
      this_fiber::sleep_for(1h);
    } catch (const fibers::cancelled&) {
      ending->post([]() -> void { throw std::runtime_error{"posted"}; });
      ending->post([last = std::shared_ptr<void>{
                        nullptr, [&](void*) {
                          ending->spawn([held = std::make_shared<guest>(present)] {});
                          spawned = true;
                        }}] {});
      throw;
    }
  });
  ending->spawn([] { throw std::runtime_error{"leave run()"}; });
  BOOST_CHECK_THROW(ending->run(), std::runtime_error);
  ending.reset();
  BOOST_TEST(spawned);
  BOOST_TEST(present == 0);
}

BOOST_AUTO_TEST_CASE(another_thread_stops_a_scheduler_and_it_can_run_again) {
  for (int i = 0; i < 2; ++i) {
    std::atomic<bool> waits{false};
    int unwound = 0;
    for (int fiber = 0; fiber < 3; ++fiber) {
      scheduler.spawn([&] {
        waits = true;
        waits.notify_one();
        try {
          this_fiber::sleep_for(1h);
        } catch (const fibers::cancelled&) {
          ++unwound;
          throw;
        }
      });
    }
    std::jthread other{[&] {
      waits.wait(false);
      scheduler.stop();
    }};
    scheduler.run();
    BOOST_TEST(unwound == 3);
  }
}

BOOST_AUTO_TEST_CASE(a_stop_before_the_run_ends_the_fibers_that_are_there) {
  bool ran = false;
  scheduler.spawn([&] { ran = true; });
  std::jthread{[&] { scheduler.stop(); }}.join();
  scheduler.run();
  BOOST_TEST(!ran);
}

BOOST_AUTO_TEST_CASE(what_an_exception_leaves_is_still_there_and_runs_next) {
  fibers::post_queue posts;
  int ran = 0;
  static_cast<void>(posts.push([] { throw std::runtime_error{"first"}; }));
  static_cast<void>(posts.push([&] { ++ran; }));
  BOOST_TEST(!posts.empty());
  BOOST_CHECK_THROW(posts.run(), std::runtime_error);
  BOOST_TEST(!posts.empty());
  BOOST_TEST(ran == 0);
  posts.run();
  BOOST_TEST(ran == 1);
  BOOST_TEST(posts.empty());
}

BOOST_AUTO_TEST_SUITE_END()
