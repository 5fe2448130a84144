#include <fibers/mutex.hpp>

#include <tests/fibers/fiber_worlds.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using fibers::cancelled;
using fibers::mutex;
using fibers::task_queue;

BOOST_AUTO_TEST_CASE(one_fiber_at_a_time_is_inside) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    int inside = 0;
    int most_inside = 0;
    int visits = 0;
    const auto visit = [&] {
      for (int i = 0; i < 10; ++i) {
        std::lock_guard lock{door};
        most_inside = std::max(most_inside, ++inside);
        tasks.yield();
        --inside;
        ++visits;
      }
    };
    auto a = tasks.spawn("a", visit);
    auto b = tasks.spawn("b", visit);
    auto c = tasks.spawn("c", visit);
    a.join();
    b.join();
    c.join();
    BOOST_TEST(most_inside == 1);
    BOOST_TEST(visits == 30);
  });
}

BOOST_AUTO_TEST_CASE(a_free_mutex_is_locked_without_giving_way) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    bool other_ran = false;
    auto other = tasks.spawn("other", [&] { other_ran = true; });
    for (int i = 0; i < 1000; ++i) std::lock_guard lock{door};
    BOOST_TEST(!other_ran);
    other.join();
  });
}

BOOST_AUTO_TEST_CASE(who_has_waited_longest_is_next_and_cannot_be_overtaken) {
  std::string order;
  in_task_queue([&](task_queue& tasks) {
    mutex door;
    std::unique_lock first{door};
    for (const char name : {'a', 'b', 'c'}) {
      tasks.spawn("waiting", [&, name] {
        std::lock_guard lock{door};
        order += name;
        tasks.yield();
      });
    }
    tasks.yield();
    first.unlock();
    BOOST_TEST(!door.try_lock());
    first.lock();
    order += 'f';
  });
  BOOST_TEST(order == "abcf");
}

BOOST_AUTO_TEST_CASE(try_lock_does_not_wait) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    BOOST_TEST(door.try_lock());
    auto other = tasks.spawn("other", [&] { return door.try_lock(); });
    BOOST_TEST(!other.join());
    door.unlock();
    BOOST_TEST(door.try_lock());
    door.unlock();
  });
}

BOOST_AUTO_TEST_CASE(two_mutexes_locked_in_opposite_order_do_not_deadlock) {
  in_task_queue([](task_queue& tasks) {
    mutex left;
    mutex right;
    int visits = 0;
    auto a = tasks.spawn("a", [&] {
      for (int i = 0; i < 100; ++i) {
        std::scoped_lock both{left, right};
        tasks.yield();
        ++visits;
      }
    });
    auto b = tasks.spawn("b", [&] {
      for (int i = 0; i < 100; ++i) {
        std::scoped_lock both{right, left};
        tasks.yield();
        ++visits;
      }
    });
    a.join();
    b.join();
    BOOST_TEST(visits == 200);
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_locks_what_it_has_locked_is_told) {
  in_timed_queue([](task_queue& tasks) {
    mutex door;
    std::unique_lock lock{door};
    BOOST_TEST(!door.try_lock());
    BOOST_CHECK_THROW(door.lock(), std::logic_error);
    BOOST_CHECK_THROW(static_cast<void>(door.try_lock_for(1ms)), std::logic_error);
    auto other = tasks.spawn("other", [&] { std::lock_guard inside{door}; });
    tasks.yield();
    lock.unlock();  // hands it over
    lock.lock();
    BOOST_TEST(other.done());
  });
}

// Fibers of the same queue take the same stack, one after the other, and fibers of two queues that
// live one after the other have the same number as well.
BOOST_AUTO_TEST_CASE(a_mutex_that_a_fiber_left_locked_is_not_that_of_the_next_on_its_stack) {
  mutex door;
  const fibers::fiber* forgetful = nullptr;
  in_timed_queue([&](task_queue& tasks) {
    tasks.spawn("forgetful", [&] {
      forgetful = tasks.current();
      door.lock();
    });
    tasks.yield();
    auto next = tasks.spawn("next", [&] {
      BOOST_TEST(tasks.current() == forgetful);
      BOOST_TEST(!door.try_lock());
      return door.try_lock_for(1ms);
    });
    BOOST_TEST(!next.join());
  });
  std::uint64_t of_first = 0;
  for (const bool first : {true, false}) {
    in_task_queue([&](task_queue& tasks) {
      const auto id = tasks.current()->unique_id();
      if (first) of_first = id;
      BOOST_TEST(tasks.current()->id() == 1u);
      BOOST_TEST((id == of_first) == first);
    });
  }
}

BOOST_AUTO_TEST_CASE(only_a_fiber_can_lock) {
  mutex door;
  BOOST_CHECK_THROW(door.lock(), std::logic_error);
}

// --- cancel ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_while_it_waits_leaves_the_line) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    std::unique_lock lock{door};
    bool inside = false;
    auto waiting = tasks.spawn("waiting", [&] {
      std::lock_guard never_held{door};
      inside = true;
    });
    auto behind = tasks.spawn("behind", [&] { std::lock_guard held{door}; });
    tasks.yield();
    waiting.cancel();
    lock.unlock();
    BOOST_CHECK_THROW(waiting.join(), cancelled);
    behind.join();
    BOOST_TEST(!inside);
    BOOST_TEST(door.try_lock());
    door.unlock();
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_after_it_was_handed_the_lock_has_it) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    std::unique_lock lock{door};
    bool inside = false;
    auto waiting = tasks.spawn("waiting", [&] {
      std::lock_guard held{door};
      inside = true;
      tasks.yield();
      inside = false;
    });
    tasks.yield();
    lock.unlock();
    waiting.cancel();
    BOOST_CHECK_THROW(waiting.join(), cancelled);
    BOOST_TEST(inside);
    BOOST_TEST(door.try_lock());
    door.unlock();
  });
}

BOOST_AUTO_TEST_CASE(a_cancelled_fiber_gets_no_lock_even_if_it_is_free) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    int met = 0;
    auto stubborn = tasks.spawn("stubborn", [&] {
      tasks.park();
      try {
        door.lock();
      } catch (const cancelled&) {
        ++met;
      }
      try {
        static_cast<void>(door.try_lock_until(fibers::never));
      } catch (const cancelled&) {
        ++met;
      }
    });
    tasks.yield();
    stubborn.cancel();
    stubborn.join();
    BOOST_TEST(met == 2);
    BOOST_TEST(door.try_lock());
    door.unlock();
  });
}

BOOST_AUTO_TEST_CASE(a_destructor_that_locks_while_its_fiber_unwinds_gets_the_lock) {
  struct locks_when_destroyed {
    mutex& door;
    int& visits;
    ~locks_when_destroyed() {
      std::lock_guard lock{door};
      ++visits;
    }
  };
  in_task_queue([](task_queue& tasks) {
    mutex door;
    int visits = 0;
    const auto body = [&] {
      locks_when_destroyed outer{door, visits};
      locks_when_destroyed inner{door, visits};
      tasks.park();
      tasks.check_cancelled();
    };
    auto where_it_is_free = tasks.spawn("free", body);
    tasks.yield();
    where_it_is_free.cancel();
    BOOST_CHECK_THROW(where_it_is_free.join(), cancelled);
    BOOST_TEST(visits == 2);

    auto where_it_is_taken = tasks.spawn("taken", body);
    tasks.yield();
    std::unique_lock lock{door};
    where_it_is_taken.cancel();
    tasks.yield();
    where_it_is_taken.cancel();
    tasks.yield();
    BOOST_TEST(visits == 2);
    lock.unlock();
    BOOST_CHECK_THROW(where_it_is_taken.join(), cancelled);
    BOOST_TEST(visits == 4);
  });
}

BOOST_AUTO_TEST_CASE(a_destructor_that_ends_normally_can_lock_uncancellably) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    bool inside = false;
    std::unique_lock lock{door};
    auto waiting = tasks.spawn("waiting", [&] {
      door.lock_uncancellable();
      inside = true;
      door.unlock();
      tasks.check_cancelled();
    });
    tasks.yield();
    waiting.cancel();
    tasks.yield();
    BOOST_TEST(!inside);
    lock.unlock();
    BOOST_CHECK_THROW(waiting.join(), cancelled);
    BOOST_TEST(inside);
  });
}

// The captures are destroyed after the body has ended, so no exception is in flight then.
BOOST_AUTO_TEST_CASE(what_a_cancelled_fiber_captured_may_lock_when_it_dies) {
  struct locks_when_destroyed {
    mutex* door;
    bool* locked;
    locks_when_destroyed(mutex& its, bool& told) : door{&its}, locked{&told} {}
    locks_when_destroyed(locks_when_destroyed&& other) noexcept
        : door{std::exchange(other.door, nullptr)}, locked{other.locked} {}
    ~locks_when_destroyed() {
      if (door == nullptr) return;
      const std::lock_guard lock{*door};
      *locked = true;
    }
  };
  in_task_queue([](task_queue& tasks) {
    mutex door;
    bool locked = false;
    auto waiting = tasks.spawn("waiting", [&, held = locks_when_destroyed{door, locked}] {
      tasks.park();
      tasks.check_cancelled();
    });
    tasks.yield();
    std::unique_lock lock{door};
    waiting.cancel();
    tasks.yield();
    waiting.cancel();
    tasks.yield();
    BOOST_TEST(!locked);
    lock.unlock();
    BOOST_CHECK_THROW(waiting.join(), cancelled);
    BOOST_TEST(locked);
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_whose_mutex_is_gone_can_still_be_cancelled) {
  task_queue tasks;
  std::optional<mutex> door{std::in_place};
  tasks.spawn("owner", [&] {
    door->lock();
    tasks.park();
  });
  auto waiting = tasks.spawn("waiting", [&] { door->lock(); });
  auto other = tasks.spawn("other", [&] { door->lock(); });
  run_all(tasks);
  door.reset();
  tasks.cancel_all();
  run_all(tasks);
  BOOST_CHECK_THROW(waiting.join(), cancelled);
  BOOST_CHECK_THROW(other.join(), cancelled);
}

// --- deadlines -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_deadline_ends_the_wait_and_leaves_the_line) {
  in_timed_queue([](task_queue& tasks) {
    mutex door;
    std::unique_lock lock{door};
    auto waiting = tasks.spawn("waiting", [&] {
      const auto start = fibers::clock::now();
      const bool locked = door.try_lock_for(10ms);
      BOOST_TEST((fibers::clock::now() - start >= 10ms));
      return locked;
    });
    BOOST_TEST(!waiting.join());
    auto patient = tasks.spawn("patient", [&] {
      const bool locked = door.try_lock_for(patience);
      door.unlock();
      return locked;
    });
    sleep_for(tasks, 1ms);
    lock.unlock();
    BOOST_TEST(patient.join());
    BOOST_TEST(door.try_lock_for(0ms));
    door.unlock();
  });
}

BOOST_AUTO_TEST_CASE(a_deadline_can_be_in_the_past_or_never_come) {
  in_timed_queue([](task_queue& tasks) {
    mutex door;
    std::unique_lock lock{door};
    auto late = tasks.spawn("late", [&] { return door.try_lock_for(-1h); });
    BOOST_TEST(!late.join());
    auto patient = tasks.spawn("patient", [&] {
      const bool locked = door.try_lock_for(fibers::clock::duration::max());
      door.unlock();
      return locked;
    });
    tasks.yield();
    lock.unlock();
    BOOST_TEST(patient.join());
  });
}

BOOST_AUTO_TEST_CASE(a_deadline_without_a_scheduler_is_an_error) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    std::unique_lock lock{door};
    auto waiting = tasks.spawn("waiting", [&] { return door.try_lock_for(1ms); });
    BOOST_CHECK_THROW(waiting.join(), std::logic_error);
  });
}
