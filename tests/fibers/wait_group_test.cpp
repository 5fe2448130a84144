#include <fibers/wait_group.hpp>

#include <tests/fibers/fiber_worlds.hpp>

#include <boost/test/unit_test.hpp>
#include <string>

using fibers::cancelled;
using fibers::task_queue;
using fibers::wait_group;

BOOST_AUTO_TEST_CASE(waiting_ends_when_all_that_was_added_is_done) {
  std::string order;
  in_task_queue([&](task_queue& tasks) {
    wait_group work;
    work.add(2);
    for (const char name : {'a', 'b'}) {
      tasks.spawn("waiting", [&, name] {
        work.wait();
        order += name;
      });
    }
    tasks.yield();
    work.done();
    tasks.yield();
    BOOST_TEST(order == "");
    BOOST_TEST(work.expected() == 1u);
    work.done();
    tasks.yield();
  });
  BOOST_TEST(order == "ab");
}

BOOST_AUTO_TEST_CASE(where_nothing_is_expected_nobody_waits) {
  in_task_queue([](task_queue&) { wait_group{}.wait(); });
}

BOOST_AUTO_TEST_CASE(a_group_is_used_again) {
  in_task_queue([](task_queue& tasks) {
    wait_group work;
    for (int round = 0; round < 3; ++round) {
      int finished = 0;
      for (int i = 0; i < 5; ++i) {
        work.add();
        tasks.spawn("worker", [&] {
          tasks.yield();
          ++finished;
          work.done();
        });
      }
      work.wait();
      BOOST_TEST(finished == 5);
    }
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_while_it_waits_leaves_the_others_waiting) {
  in_task_queue([](task_queue& tasks) {
    wait_group work;
    work.add();
    auto impatient = tasks.spawn("impatient", [&] { work.wait(); });
    auto patient = tasks.spawn("patient", [&] { work.wait(); });
    tasks.yield();
    impatient.cancel();
    BOOST_CHECK_THROW(impatient.join(), cancelled);
    BOOST_TEST(!patient.done());
    work.done();
    patient.join();
  });
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_the_wait) {
  in_timed_queue([](task_queue& tasks) {
    wait_group work;
    work.add();
    const auto start = fibers::clock::now();
    BOOST_TEST(!work.wait_for(10ms));
    BOOST_TEST((fibers::clock::now() - start >= 10ms));
    auto patient = tasks.spawn("patient", [&] { return work.wait_for(patience); });
    sleep_for(tasks, 1ms);
    work.done();
    BOOST_TEST(patient.join());
    BOOST_TEST(work.wait_for(0ms));
  });
}
