#include <fibers/condition_variable.hpp>

#include <tests/fibers/fiber_worlds.hpp>

#include <boost/test/unit_test.hpp>
#include <deque>
#include <mutex>
#include <stop_token>
#include <string>

using fibers::cancelled;
using fibers::condition_variable;
using fibers::mutex;
using fibers::task_queue;
using std::cv_status;

BOOST_AUTO_TEST_CASE(a_wait_ends_with_the_notification_and_with_the_lock) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    bool woken = false;
    auto waiting = tasks.spawn("waiting", [&] {
      std::unique_lock lock{door};
      arrived.wait(lock);
      woken = true;
      BOOST_TEST(lock.owns_lock());
      BOOST_TEST(!door.try_lock());
    });
    tasks.yield();
    std::unique_lock lock{door};
    arrived.notify_one();
    tasks.yield();
    BOOST_TEST(!woken);
    lock.unlock();
    waiting.join();
    BOOST_TEST(woken);
  });
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_wait_and_wakes_nobody_else) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    std::stop_source stop;
    std::string woken;
    auto other = tasks.spawn("other", [&] {
      std::unique_lock lock{door};
      arrived.wait(lock);
      woken += 'o';
    });
    auto waiting = tasks.spawn("waiting", [&] {
      std::unique_lock lock{door};
      const bool came = arrived.wait(lock, stop.get_token(), [] { return false; });
      woken += 'w';
      BOOST_TEST(lock.owns_lock());
      return came;
    });
    tasks.yield();
    stop.request_stop();
    BOOST_TEST(!waiting.join());
    tasks.yield();
    BOOST_TEST(woken == "w");
    arrived.notify_one();
    other.join();
    BOOST_TEST(woken == "wo");
  });
}

BOOST_AUTO_TEST_CASE(what_has_happened_counts_more_than_a_stop) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    std::stop_source stop;
    bool letter = false;
    const auto wait = [&] {
      std::unique_lock lock{door};
      return arrived.wait(lock, stop.get_token(), [&] { return letter; });
    };
    auto waiting = tasks.spawn("waiting", wait);
    tasks.yield();
    letter = true;
    arrived.notify_one();
    stop.request_stop();
    BOOST_TEST(waiting.join());
    BOOST_TEST(wait());
    letter = false;
    BOOST_TEST(!wait());
  });
}

BOOST_AUTO_TEST_CASE(a_wait_that_a_stop_may_end_is_cancelled_as_any_other) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    std::stop_source stop;
    auto waiting = tasks.spawn("waiting", [&] {
      std::unique_lock lock{door};
      arrived.wait(lock, stop.get_token(), [] { return false; });
    });
    tasks.yield();
    waiting.cancel();
    stop.request_stop();
    BOOST_CHECK_THROW(waiting.join(), cancelled);
    BOOST_TEST(door.try_lock());
    door.unlock();
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_waits_with_its_own_stop_token) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    auto waiting = tasks.spawn("waiting", [&] {
      std::unique_lock lock{door};
      arrived.wait(lock, tasks.current()->get_stop_token(), [] { return false; });
    });
    tasks.yield();
    waiting.cancel();
    BOOST_CHECK_THROW(waiting.join(), cancelled);
  });
}

BOOST_AUTO_TEST_CASE(notify_one_wakes_who_has_waited_longest_and_notify_all_the_rest) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    std::string woken;
    for (const char name : {'a', 'b', 'c'}) {
      tasks.spawn("waiting", [&, name] {
        std::unique_lock lock{door};
        arrived.wait(lock);
        woken += name;
      });
    }
    arrived.notify_one();
    tasks.yield();
    BOOST_TEST(woken == "");
    arrived.notify_one();
    tasks.yield();
    BOOST_TEST(woken == "a");
    arrived.notify_all();
    tasks.yield();
    BOOST_TEST(woken == "abc");
  });
}

BOOST_AUTO_TEST_CASE(a_wait_with_a_predicate_goes_on_until_that_holds) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    condition_variable changed;
    std::deque<int> items;
    auto consumer = tasks.spawn("consumer", [&] {
      int sum = 0;
      for (int i = 0; i < 3; ++i) {
        std::unique_lock lock{door};
        changed.wait(lock, [&] { return !items.empty(); });
        sum += items.front();
        items.pop_front();
      }
      return sum;
    });
    tasks.yield();
    changed.notify_all();
    tasks.yield();
    for (const int item : {1, 2, 3}) {
      std::lock_guard lock{door};
      items.push_back(item);
      changed.notify_one();
      tasks.yield();
    }
    BOOST_TEST(consumer.join() == 6);
  });
}

// --- cancel ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_cancelled_wait_unwinds_with_the_lock) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    bool had_lock = false;
    auto waiting = tasks.spawn("waiting", [&] {
      std::unique_lock lock{door};
      try {
        arrived.wait(lock);
      } catch (const cancelled&) {
        had_lock = lock.owns_lock() && !door.try_lock();
        throw;
      }
    });
    tasks.yield();
    std::unique_lock lock{door};
    waiting.cancel();
    tasks.yield();
    BOOST_TEST(!waiting.done());
    lock.unlock();
    BOOST_CHECK_THROW(waiting.join(), cancelled);
    BOOST_TEST(had_lock);
    BOOST_TEST(door.try_lock());
    door.unlock();
  });
}

BOOST_AUTO_TEST_CASE(a_notification_goes_past_a_fiber_that_was_cancelled_before) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    const auto wait = [&] {
      std::unique_lock lock{door};
      arrived.wait(lock);
    };
    auto first = tasks.spawn("first", wait);
    auto second = tasks.spawn("second", wait);
    tasks.yield();
    first.cancel();
    arrived.notify_one();
    BOOST_CHECK_THROW(first.join(), cancelled);
    second.join();
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_after_it_was_notified_was_notified) {
  in_task_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    bool notified = false;
    auto waiting = tasks.spawn("waiting", [&] {
      std::unique_lock lock{door};
      arrived.wait(lock);
      notified = true;
    });
    tasks.yield();
    arrived.notify_one();
    waiting.cancel();
    waiting.join();
    BOOST_TEST(notified);
  });
}

// --- deadlines -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_deadline_ends_the_wait_with_the_lock) {
  in_timed_queue([](task_queue&) {
    mutex door;
    condition_variable arrived;
    std::unique_lock lock{door};
    const auto start = fibers::clock::now();
    BOOST_TEST((arrived.wait_for(lock, 10ms) == cv_status::timeout));
    BOOST_TEST((fibers::clock::now() - start >= 10ms));
    BOOST_TEST(lock.owns_lock());
    BOOST_TEST(!door.try_lock());
    BOOST_TEST((arrived.wait_until(lock, start) == cv_status::timeout));
    BOOST_TEST(!arrived.wait_for(lock, 1ms, [] { return false; }));
    BOOST_TEST(arrived.wait_for(lock, 0ms, [] { return true; }));
  });
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_a_wait_that_a_stop_may_end) {
  in_timed_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    std::stop_source stop;
    const auto refused = [] { return false; };
    std::unique_lock lock{door};
    BOOST_TEST(!arrived.wait_for(lock, stop.get_token(), 1ms, refused));
    BOOST_TEST(!arrived.wait_until(lock, stop.get_token(), fibers::clock::now(), refused));
    BOOST_TEST(arrived.wait_for(lock, stop.get_token(), 0ms, [] { return true; }));
    auto stops = tasks.spawn("stops", [&] { stop.request_stop(); });
    BOOST_TEST(!arrived.wait_for(lock, stop.get_token(), patience, refused));
    BOOST_TEST(stops.done());
  });
}

BOOST_AUTO_TEST_CASE(a_notification_comes_before_a_distant_deadline) {
  in_timed_queue([](task_queue& tasks) {
    mutex door;
    condition_variable arrived;
    bool there = false;
    auto waiting = tasks.spawn("waiting", [&] {
      std::unique_lock lock{door};
      return arrived.wait_for(lock, patience, [&] { return there; });
    });
    sleep_for(tasks, 1ms);
    arrived.notify_all();
    sleep_for(tasks, 1ms);
    BOOST_TEST(!waiting.done());
    there = true;
    arrived.notify_all();
    BOOST_TEST(waiting.join());
  });
}
