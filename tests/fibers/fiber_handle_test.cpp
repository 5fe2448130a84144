// A fiber_handle waits for its fiber, and gives its result or its exception.
#include <fibers/fiber_handle.hpp>
#include <fibers/semaphore.hpp>

#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <tests/fibers/fiber_worlds.hpp>
#include <tests/fibers/scheduler_fixture.hpp>

using fibers::cancelled;
using fibers::task_queue;

namespace {

// What can be moved and calls `action` when it is destroyed.
template <class Action>
std::shared_ptr<void> calls_when_destroyed(Action action) {
  return {nullptr, [action](void*) { action(); }};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fiber_handle_facts)

BOOST_AUTO_TEST_CASE(join_waits_and_gives_the_result) {
  in_task_queue([](task_queue& tasks) {
    auto number = tasks.spawn("number", [&] {
      tasks.yield();
      return 42;
    });
    auto owned = tasks.spawn("owned", [] { return std::make_unique<int>(7); });
    BOOST_TEST(!number.done());
    BOOST_TEST(number.join() == 42);
    BOOST_TEST(!number.joinable());
    BOOST_TEST(owned.done());
    BOOST_TEST(*owned.join() == 7);
  });
}

BOOST_AUTO_TEST_CASE(a_body_may_return_a_reference) {
  in_task_queue([](task_queue& tasks) {
    int answer = 0;
    const int constant = 7;
    auto refers = tasks.spawn("refers", [&]() -> int& { return answer; });
    auto refers_to_constant = tasks.spawn("refers", [&]() -> const int& { return constant; });
    refers.join() = 42;
    BOOST_TEST(answer == 42);
    BOOST_TEST(&refers_to_constant.join() == &constant);
    auto failing = tasks.spawn("failing", [&]() -> int& { throw std::out_of_range{"over"}; });
    BOOST_CHECK_THROW(failing.join(), std::out_of_range);
  });
}

BOOST_AUTO_TEST_CASE(join_gives_the_exception) {
  in_task_queue([](task_queue& tasks) {
    auto failing = tasks.spawn("failing", [&]() -> int {
      tasks.yield();
      throw std::out_of_range{"over"};
    });
    BOOST_CHECK_THROW(failing.join(), std::out_of_range);
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_joins_itself_is_told) {
  in_timed_queue([](task_queue& tasks) {
    fibers::fiber_handle<void> self;
    self = tasks.spawn("self", [&] {
      BOOST_CHECK_THROW(self.join(), std::logic_error);
      BOOST_CHECK_THROW(static_cast<void>(self.wait_for(1ms)), std::logic_error);
      BOOST_TEST(self.joinable());
    });
    self.join();
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_has_finished_is_joined_between_rounds) {
  task_queue tasks;
  auto number = tasks.spawn("number", [] { return 42; });
  run_all(tasks);
  BOOST_TEST(number.done());
  BOOST_TEST(number.join() == 42);
}

BOOST_AUTO_TEST_CASE(an_exception_whose_handle_is_dropped_afterwards_comes_out_as_well) {
  task_queue tasks;
  auto failing = tasks.spawn("failing", [] { throw std::out_of_range{"over"}; });
  tasks.run_round();
  failing.detach();
  BOOST_CHECK_THROW(tasks.run_round(), std::out_of_range);
}

BOOST_AUTO_TEST_CASE(a_dropped_handle_lets_its_fiber_run_on) {
  task_queue tasks;
  int ran = 0;
  {
    auto detached = tasks.spawn("detached", [&] {
      tasks.yield();
      ++ran;
    });
    auto moved = std::move(detached);
    BOOST_TEST(!detached.joinable());
  }
  run_all(tasks);
  BOOST_TEST(ran == 1);
}

BOOST_AUTO_TEST_CASE(a_handle_that_takes_another_fiber_lets_go_of_its_own) {
  task_queue tasks;
  auto first = tasks.spawn("first", [] { throw std::runtime_error{"nobody joins it"}; });
  auto second = tasks.spawn("second", [] {});
  first = std::move(second);
  BOOST_TEST(!second.joinable());
  BOOST_CHECK_THROW(run_all(tasks), std::runtime_error);
  run_all(tasks);
  BOOST_CHECK_NO_THROW(first.join());
}

BOOST_AUTO_TEST_CASE(a_result_that_nobody_wants_is_destroyed_on_its_fiber) {
  task_queue tasks;
  std::string where;
  const auto body = [&] { return calls_when_destroyed([&] { where = tasks.current()->name(); }); };
  tasks.spawn("unwanted", body);
  run_all(tasks);
  BOOST_TEST(where == "unwanted");

  auto dropped = tasks.spawn("dropped early", body);
  dropped.detach();
  run_all(tasks);
  BOOST_TEST(where == "dropped early");
}

BOOST_AUTO_TEST_CASE(a_result_is_destroyed_by_the_one_that_drops_the_handle) {
  in_task_queue([](task_queue& tasks) {
    std::string where;
    auto made = tasks.spawn(
        "makes", [&] { return calls_when_destroyed([&] { where = tasks.current()->name(); }); });
    BOOST_TEST(!made.done());
    tasks.yield();
    BOOST_TEST(made.done());
    BOOST_TEST(where == "");
    made.detach();
    BOOST_TEST(where == "first");
  });
}

BOOST_AUTO_TEST_CASE(a_result_whose_destructor_blocks_blocks_its_fiber_only) {
  in_task_queue([](task_queue& tasks) {
    fibers::semaphore may_end{0};
    std::string diary;
    tasks.spawn("unwanted", [&] {
      return calls_when_destroyed([&] {
        diary += 'a';
        may_end.acquire();
        diary += 'b';
      });
    });
    tasks.yield();
    tasks.yield();
    BOOST_TEST(diary == "a");
    may_end.release();
    tasks.yield();
    BOOST_TEST(diary == "ab");
  });
}

BOOST_AUTO_TEST_CASE(a_dropped_result_may_block_while_its_queue_ends) {
  fibers::semaphore may_end{0};
  bool destroyed = false;
  std::optional<task_queue> ends{std::in_place};
  auto made = ends->spawn("makes", [&] {
    return calls_when_destroyed([&] {
      may_end.acquire();
      destroyed = true;
    });
  });
  run_all(*ends);
  in_task_queue([&](task_queue& tasks) {
    tasks.spawn("drops", [&] { made.detach(); });
    tasks.yield();
    ends.reset();
    may_end.release();
    BOOST_TEST(!destroyed);
  });
  BOOST_TEST(destroyed);
}

BOOST_AUTO_TEST_CASE(a_joiner_that_is_cancelled_leaves_the_other_running) {
  in_task_queue([](task_queue& tasks) {
    bool let_go = false;
    auto worker = tasks.spawn("worker", [&] {
      while (!let_go) tasks.yield();
      return 42;
    });
    auto joiner = tasks.spawn("joiner", [&] { return worker.wait_until(fibers::never); });
    tasks.yield();
    joiner.cancel();
    BOOST_CHECK_THROW(joiner.join(), cancelled);
    let_go = true;
    BOOST_TEST(worker.join() == 42);
  });
}

BOOST_AUTO_TEST_CASE(a_joiner_cancelled_by_the_last_act_of_the_other_leaves_the_result) {
  in_task_queue([](task_queue& tasks) {
    fibers::fiber_handle<void> joiner;
    auto worker = tasks.spawn("worker", [&] {
      tasks.yield();
      joiner.cancel();
      return 42;
    });
    joiner = tasks.spawn("joiner", [&] { worker.join(); });
    BOOST_CHECK_THROW(joiner.join(), cancelled);
    BOOST_TEST(worker.joinable());
    BOOST_TEST(worker.join() == 42);
  });
}

BOOST_AUTO_TEST_CASE(a_handle_may_outlive_the_scheduler) {
  decltype(fibers::scheduler{}.spawn([] { return std::string{}; })) ended, cut_off;
  {
    fibers::scheduler scheduler{backend()};
    ended = scheduler.spawn([] { return std::string{"result"}; });
    cut_off = scheduler.spawn([] {
      this_fiber::sleep_for(1h);
      return std::string{"never"};
    });
    scheduler.spawn([&] {
      this_fiber::sleep_for(1ms);
      cut_off.cancel();
    });
    scheduler.run();
  }
  BOOST_TEST(ended.join() == "result");
  BOOST_TEST(cut_off.done());
  BOOST_CHECK_THROW(cut_off.join(), fibers::cancelled);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(joining, scheduler_fixture)

BOOST_AUTO_TEST_CASE(a_joined_fiber_gives_its_result) {
  scheduler.spawn([&] {
    auto child = scheduler.spawn("child", [] {
      this_fiber::sleep_for(1ms);
      return std::string{"done"};
    });
    BOOST_TEST(child.join() == "done");
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_fiber_is_joined_for_as_long_as_allowed) {
  scheduler.spawn([&] {
    fibers::semaphore may_end{0};
    auto working = scheduler.spawn([&] {
      may_end.acquire();
      return 42;
    });
    BOOST_TEST(!working.wait_for(0ms));
    const auto begin = fibers::clock::now();
    BOOST_TEST(!working.wait_for(5ms));
    BOOST_TEST((fibers::clock::now() - begin >= 5ms));
    BOOST_TEST(!working.wait_until(fibers::clock::time_point::min()));
    may_end.release();
    BOOST_TEST(working.wait_for(1h));
    BOOST_TEST(working.wait_for(0ms));
    BOOST_TEST(working.join() == 42);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(who_is_cancelled_while_it_joins_with_a_deadline_leaves_the_other_alone) {
  scheduler.spawn([&] {
    fibers::semaphore may_end{0};
    auto working = scheduler.spawn([&] { may_end.acquire(); });
    auto impatient = scheduler.spawn([&] { return working.wait_for(1h); });
    this_fiber::yield();
    impatient.cancel();
    BOOST_CHECK_THROW(impatient.join(), fibers::cancelled);
    may_end.release();
    BOOST_TEST(working.wait_for(1h));
    BOOST_CHECK_NO_THROW(working.join());
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(several_wait_for_one_fiber_and_all_are_told) {
  scheduler.spawn([&] {
    fibers::semaphore may_end{0};
    auto working = scheduler.spawn([&] {
      may_end.acquire();
      return 42;
    });
    auto gives_up = scheduler.spawn([&] { return working.wait_for(1ms); });
    auto joins = scheduler.spawn([&] { return working.join(); });
    auto waits = scheduler.spawn([&] { return working.wait_for(1h); });
    BOOST_TEST(!gives_up.join());
    may_end.release();
    BOOST_TEST(joins.join() == 42);
    BOOST_TEST(waits.join());
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(only_a_fiber_joins_with_a_deadline) {
  auto idle = scheduler.spawn([] {});
  BOOST_CHECK_THROW(static_cast<void>(idle.wait_for(1ms)), std::logic_error);
  scheduler.run();
  BOOST_TEST(idle.wait_for(1ms));
}

BOOST_AUTO_TEST_SUITE_END()
