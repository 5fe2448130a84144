#include <fibers/semaphore.hpp>

#include <tests/fibers/fiber_worlds.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using fibers::cancelled;
using fibers::semaphore;
using fibers::task_queue;

BOOST_AUTO_TEST_CASE(as_many_fibers_as_there_are_permits_are_inside) {
  in_task_queue([](task_queue& tasks) {
    semaphore permits{3};
    int inside = 0;
    int most_inside = 0;
    int visits = 0;
    std::vector<fibers::fiber_handle<void>> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(tasks.spawn("visitor", [&] {
        permits.acquire();
        most_inside = std::max(most_inside, ++inside);
        tasks.yield();
        --inside;
        ++visits;
        permits.release();
      }));
    }
    for (auto& each : all) each.join();
    BOOST_TEST(most_inside == 3);
    BOOST_TEST(visits == 10);
    BOOST_TEST(permits.available() == 3u);
  });
}

BOOST_AUTO_TEST_CASE(try_acquire_does_not_wait) {
  semaphore permits{1};
  BOOST_TEST(permits.try_acquire());
  BOOST_TEST(!permits.try_acquire());
  permits.release();
  BOOST_TEST(permits.try_acquire());
}

BOOST_AUTO_TEST_CASE(permits_go_to_those_who_have_waited_longest_and_cannot_be_overtaken) {
  std::string order;
  in_task_queue([&](task_queue& tasks) {
    semaphore permits{0};
    for (const char name : {'a', 'b', 'c'}) {
      tasks.spawn("waiting", [&, name] {
        permits.acquire();
        order += name;
      });
    }
    tasks.yield();
    permits.release(2);
    BOOST_TEST(!permits.try_acquire());
    tasks.yield();
    BOOST_TEST(order == "ab");
    permits.release(3);
    BOOST_TEST(permits.available() == 2u);
    tasks.yield();
  });
  BOOST_TEST(order == "abc");
}

BOOST_AUTO_TEST_CASE(permits_are_released_without_a_fiber) {
  task_queue tasks;
  semaphore permits{0};
  auto waiting = tasks.spawn("waiting", [&] { permits.acquire(); });
  run_all(tasks);
  permits.release();
  run_all(tasks);
  BOOST_TEST(waiting.done());
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_while_it_waits_takes_no_permit) {
  in_task_queue([](task_queue& tasks) {
    semaphore permits{0};
    auto first = tasks.spawn("first", [&] { permits.acquire(); });
    auto second = tasks.spawn("second", [&] { permits.acquire(); });
    tasks.yield();
    first.cancel();
    permits.release();
    BOOST_CHECK_THROW(first.join(), cancelled);
    second.join();
    BOOST_TEST(permits.available() == 0u);
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_after_it_was_given_a_permit_has_it) {
  in_task_queue([](task_queue& tasks) {
    semaphore permits{0};
    auto waiting = tasks.spawn("waiting", [&] {
      permits.acquire();
      struct gives_back {
        semaphore& permits;
        ~gives_back() { permits.release(); }
      } permit{permits};
      tasks.yield();
    });
    tasks.yield();
    permits.release();
    waiting.cancel();
    BOOST_CHECK_THROW(waiting.join(), cancelled);
    BOOST_TEST(permits.available() == 1u);
  });
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_the_wait_without_a_permit) {
  in_timed_queue([](task_queue& tasks) {
    semaphore permits{0};
    const auto start = fibers::clock::now();
    BOOST_TEST(!permits.try_acquire_for(10ms));
    BOOST_TEST((fibers::clock::now() - start >= 10ms));
    permits.release();
    BOOST_TEST(permits.available() == 1u);
    BOOST_TEST(permits.try_acquire_for(0ms));
    auto patient = tasks.spawn("patient", [&] { return permits.try_acquire_for(patience); });
    sleep_for(tasks, 1ms);
    permits.release();
    BOOST_TEST(patient.join());
  });
}
