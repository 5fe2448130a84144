#include <fibers/task_queue.hpp>

#include <tests/fibers/appends_when_destroyed.hpp>
#include <tests/fibers/fiber_worlds.hpp>

#include <boost/test/unit_test.hpp>
#include <exception>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

using fibers::cancelled;
using fibers::fiber;
using fibers::task_queue;

BOOST_AUTO_TEST_SUITE(task_queue_facts)

// --- turns -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_fiber_runs_from_the_next_round_on_and_not_before) {
  task_queue tasks;
  bool ran = false;
  tasks.spawn("body", [&] { ran = true; });
  BOOST_TEST(!ran);
  BOOST_TEST(tasks.any_ready());
  BOOST_TEST(tasks.any_alive());
  tasks.run_round();
  BOOST_TEST(ran);
  BOOST_TEST(!tasks.any_alive());
}

BOOST_AUTO_TEST_CASE(fibers_that_yield_take_turns_in_the_order_they_were_spawned) {
  task_queue tasks;
  std::string order;
  for (const char name : {'a', 'b', 'c'}) {
    tasks.spawn("turn", [&, name] {
      for (int turn = 0; turn < 3; ++turn) {
        order += name;
        tasks.yield();
      }
    });
  }
  run_all(tasks);
  BOOST_TEST(order == "abcabcabc");
}

BOOST_AUTO_TEST_CASE(whoever_becomes_ready_goes_to_the_end_of_the_line) {
  std::string order;
  in_task_queue([&](task_queue& tasks) {
    fiber* sleeper = nullptr;
    tasks.spawn("sleeper", [&] {
      sleeper = tasks.current();
      order += 's';
      tasks.park();
      order += 'S';
    });
    tasks.yield();
    tasks.spawn("before", [&] { order += 'b'; });
    tasks.wake(*sleeper);
    tasks.spawn("after", [&] { order += 'a'; });
    tasks.yield();
    order += 'f';
  });
  BOOST_TEST(order == "sbSaf");
}

BOOST_AUTO_TEST_CASE(a_parked_fiber_runs_when_it_is_woken_and_not_before) {
  task_queue tasks;
  fiber* sleeper = nullptr;
  bool woken = false;
  tasks.spawn("sleeper", [&] {
    sleeper = tasks.current();
    tasks.park();
    woken = true;
  });
  tasks.run_round();
  BOOST_TEST(!tasks.any_ready());
  BOOST_TEST((sleeper->status() == fiber::state::parked));
  tasks.run_round();
  BOOST_TEST(!woken);
  tasks.wake(*sleeper);
  tasks.wake(*sleeper);
  BOOST_TEST((sleeper->status() == fiber::state::ready));
  run_all(tasks);
  BOOST_TEST(woken);
}

BOOST_AUTO_TEST_CASE(a_yielding_pair_does_not_starve_who_becomes_ready_later) {
  in_task_queue([&](task_queue& tasks) {
    bool over = false;
    int turns = 0;
    const auto keep_yielding = [&] {
      while (!over) {
        tasks.yield();
        ++turns;
      }
    };
    auto one = tasks.spawn("one", keep_yielding);
    auto two = tasks.spawn("two", keep_yielding);
    tasks.yield();
    int turns_before = 0;
    tasks.spawn("later", [&] { turns_before = turns; });
    const int turns_when_ready = turns;
    while (turns_before == 0) tasks.yield();
    BOOST_TEST(turns_before - turns_when_ready <= 2);
    over = true;
    one.join();
    two.join();
  });
}

BOOST_AUTO_TEST_CASE(a_round_of_fibers_that_only_yield_comes_to_an_end) {
  task_queue tasks;
  int turns = 0;
  for (int i = 0; i < 2; ++i) {
    tasks.spawn("yielding", [&] {
      for (; turns < 1'000'000; ++turns) tasks.yield();
    });
  }
  tasks.run_round();
  BOOST_TEST(turns >= 2);
  BOOST_TEST(turns <= task_queue::extended_round);
  tasks.cancel_all();
  run_all(tasks);
}

// Yields extend a round while they take little time together. The brief fibers make the mean switch
// short, but each yield of the computing fiber still takes long.
BOOST_AUTO_TEST_CASE(a_computing_fiber_gets_no_longer_rounds_because_brief_ones_park_beside_it) {
  using std::chrono::steady_clock;
  task_queue tasks;
  bool ended = false;
  int turns = 0;
  const auto computing = tasks.spawn("computing", [&] {
    while (!ended) {
      const auto end = steady_clock::now() + task_queue::extended_round_time;
      while (steady_clock::now() < end) {
      }
      ++turns;
      tasks.yield();
    }
  });
  std::vector<fibers::fiber_handle<void>> brief;
  for (int i = 0; i < task_queue::extended_round - 2; ++i) {
    brief.push_back(tasks.spawn("brief", [&] {
      while (!ended) tasks.park();
    }));
  }
  for (int i = 0; i < 3; ++i) tasks.run_round();  // the first rounds measure how long a yield takes
  turns = 0;
  constexpr int rounds = 10;
  for (int i = 0; i < rounds; ++i) {
    for (const auto& each : brief) tasks.wake(each.record());
    tasks.run_round();
    for (int j = 0; j < 2; ++j) tasks.run_round();
  }
  BOOST_TEST(turns <= 2 * 3 * rounds);
  ended = true;
  for (const auto& each : brief) tasks.wake(each.record());
  while (tasks.any_ready()) tasks.run_round();
}

BOOST_AUTO_TEST_CASE(a_round_runs_everybody_who_was_ready_however_many) {
  task_queue tasks;
  int ran = 0;
  for (int i = 0; i < 10 * task_queue::extended_round; ++i) tasks.spawn("one", [&] { ++ran; });
  tasks.run_round();
  BOOST_TEST(ran == 10 * task_queue::extended_round);
}

BOOST_AUTO_TEST_CASE(too_many_operations_in_a_row_that_complete_at_once_give_way) {
  in_task_queue([&](task_queue& tasks) {
    bool other_ran = false;
    tasks.spawn("other", [&] { other_ran = true; });
    int operations = 0;
    while (!other_ran && operations < 1000) {
      ++operations;
      tasks.completed_at_once();
    }
    BOOST_TEST(operations == task_queue::longest_burst);
  });
}

BOOST_AUTO_TEST_CASE(giving_way_starts_a_new_burst) {
  in_task_queue([&](task_queue& tasks) {
    for (int i = 1; i < task_queue::longest_burst; ++i) tasks.completed_at_once();
    tasks.yield();
    bool other_ran = false;
    tasks.spawn("other", [&] { other_ran = true; });
    for (int i = 1; i < task_queue::longest_burst; ++i) tasks.completed_at_once();
    BOOST_TEST(!other_ran);
    tasks.yield();
    BOOST_TEST(other_ran);
  });
}

// --- errors that nobody joins ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_exception_that_nobody_joins_comes_out_of_the_round_and_the_rest_goes_on) {
  task_queue tasks;
  int others = 0;
  tasks.spawn("failing", [] { throw std::out_of_range{"over"}; });
  tasks.spawn("other", [&] {
    tasks.yield();
    ++others;
  });
  BOOST_CHECK_THROW(run_all(tasks), std::out_of_range);
  run_all(tasks);
  BOOST_TEST(others == 1);
}

BOOST_AUTO_TEST_CASE(of_two_exceptions_in_one_round_each_comes_out_and_a_queue_may_die_with_more) {
  task_queue tasks;
  tasks.spawn("first", [] { throw std::out_of_range{"first"}; });
  tasks.spawn("second", [] { throw std::length_error{"second"}; });
  for (int i = 0; i < 3; ++i) tasks.spawn("never heard of", [] { throw 1; });
  BOOST_CHECK_THROW(tasks.run_round(), std::out_of_range);
  BOOST_TEST(!tasks.any_alive());
  BOOST_TEST(tasks.any_failed());
  BOOST_CHECK_THROW(tasks.run_round(), std::length_error);
}

// --- exceptions ------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_queue_that_is_left_by_an_exception_unwinds_its_fibers) {
  std::string diary;
  const auto leave = [&] {
    task_queue tasks;
    tasks.spawn("parked", [&] {
      appends_when_destroyed local{diary, 'p'};
      tasks.park();
      tasks.check_cancelled();
    });
    tasks.spawn("ready", [&] {
      appends_when_destroyed local{diary, 'r'};
      for (;;) tasks.yield();
    });
    tasks.spawn("failing", [] { throw std::out_of_range{"over"}; });
    tasks.spawn("failing as it unwinds", [&] {
      try {
        for (;;) tasks.yield();
      } catch (const cancelled&) {
        throw std::runtime_error{"dropped"};
      }
    });
    for (;;) tasks.run_round();
  };
  BOOST_CHECK_THROW(leave(), std::out_of_range);
  BOOST_TEST(diary.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_queue_without_a_scheduler_unwinds_a_fiber_that_blocks_as_it_ends) {
  std::string diary;
  {
    task_queue tasks;
    tasks.spawn("parked", [&] {
      try {
        tasks.park();
        tasks.check_cancelled();
      } catch (const cancelled&) {
        auto& self = *tasks.current();
        tasks.spawn("wakes", [held = std::make_shared<appends_when_destroyed>(diary, 'w')] {});
        tasks.let_others_run();
        diary += self.cancel_requested() ? 'c' : '-';
      }
    });
    run_all(tasks);
  }
  BOOST_TEST(diary == "wc");
}

BOOST_AUTO_TEST_CASE(two_fibers_that_yield_in_catch_keep_their_own_exceptions) {
  std::vector<std::string> caught;
  in_task_queue([&](task_queue& tasks) {
    for (const std::string name : {"A", "B"}) {
      tasks.spawn(name, [&, name] {
        try {
          try {
            throw std::runtime_error{name};
          } catch (...) {
            tasks.yield();
            throw;
          }
        } catch (const std::runtime_error& error) {
          caught.push_back(name + " caught " + error.what());
        }
      });
    }
  });
  BOOST_TEST(caught == (std::vector<std::string>{"A caught A", "B caught B"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_exception_counts_as_uncaught_after_parked_fibers_were_unwound) {
  task_queue tasks;
  for (int i = 0; i < 10; ++i) {
    tasks.spawn("in a handler", [&] {
      try {
        throw std::runtime_error{"handled"};
      } catch (const std::runtime_error&) {
        tasks.park();
        tasks.check_cancelled();
      }
    });
  }
  run_all(tasks);
  tasks.cancel_all();
  run_all(tasks);
  BOOST_TEST(!tasks.any_alive());
  BOOST_TEST(std::uncaught_exceptions() == 0);
  BOOST_TEST((std::current_exception() == nullptr));
}

// --- cancel ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(every_parked_fiber_unwinds_when_all_are_cancelled) {
  task_queue tasks;
  std::string diary;
  for (const char name : {'a', 'b', 'c'}) {
    tasks.spawn("parked", [&, name] {
      appends_when_destroyed local{diary, name};
      for (;;) {
        tasks.park();
        tasks.check_cancelled();
      }
    });
  }
  run_all(tasks);
  BOOST_TEST(tasks.alive_count() == 3u);
  tasks.cancel_all();
  run_all(tasks);
  BOOST_TEST(diary == "abc");
  BOOST_TEST(!tasks.any_alive());
}

BOOST_AUTO_TEST_CASE(a_cancelled_fiber_is_joined_as_cancelled) {
  in_task_queue([](task_queue& tasks) {
    auto parked = tasks.spawn("parked", [&]() -> int {
      tasks.park();
      tasks.check_cancelled();
      return 1;
    });
    tasks.yield();
    parked.cancel();
    parked.cancel();
    BOOST_CHECK_THROW(parked.join(), cancelled);
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_before_its_first_turn_never_runs) {
  in_task_queue([](task_queue& tasks) {
    bool ran = false;
    std::string diary;
    auto unborn = tasks.spawn(
        "unborn", [&, held = std::make_unique<appends_when_destroyed>(diary, 'c')] { ran = true; });
    unborn.cancel();
    BOOST_CHECK_THROW(unborn.join(), cancelled);
    BOOST_TEST(!ran);
    BOOST_TEST(diary == "c");
  });
}

BOOST_AUTO_TEST_CASE(a_handler_that_swallows_a_cancellation_meets_it_again) {
  in_task_queue([](task_queue& tasks) {
    int met = 0;
    auto stubborn = tasks.spawn("stubborn", [&] {
      tasks.park();
      for (int i = 0; i < 3; ++i) {
        try {
          tasks.yield();
        } catch (...) {
          ++met;
        }
      }
    });
    tasks.yield();
    stubborn.cancel();
    stubborn.join();
    BOOST_TEST(met == 3);
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_waits_uncancellably_is_not_woken_by_a_cancellation) {
  in_task_queue([](task_queue& tasks) {
    bool let_go = false;
    auto holder = tasks.spawn("holder", [&] {
      while (!let_go) tasks.park_uncancellable();
      tasks.check_cancelled();
    });
    tasks.yield();
    holder.cancel();
    tasks.yield();
    BOOST_TEST((holder.record().status() == fiber::state::parked));
    let_go = true;
    tasks.wake(holder.record());
    BOOST_CHECK_THROW(holder.join(), cancelled);
  });
}

BOOST_AUTO_TEST_CASE(a_stop_token_tells_of_the_cancellation) {
  in_task_queue([](task_queue& tasks) {
    std::stop_token seen;
    bool called = false;
    auto listening = tasks.spawn("listening", [&] {
      seen = tasks.current()->get_stop_token();
      std::stop_callback callback{seen, [&] { called = true; }};
      tasks.park();
      tasks.check_cancelled();
    });
    tasks.yield();
    BOOST_TEST(seen.stop_possible());
    BOOST_TEST(!seen.stop_requested());
    listening.cancel();
    BOOST_TEST(seen.stop_requested());
    BOOST_TEST(called);
    BOOST_TEST(listening.record().get_stop_token().stop_requested());
    BOOST_CHECK_THROW(listening.join(), cancelled);
  });
}

// --- what belongs to a fiber -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(
    a_stop_callback_may_spawn_and_cancel_and_drop_handles_while_all_are_cancelled) {
  task_queue tasks;
  std::vector<fibers::fiber_handle<void>> ended;
  for (int i = 0; i < 3; ++i) ended.push_back(tasks.spawn("ended", [] {}));
  int unwound = 0;
  int spawned = 0;
  std::vector<fibers::fiber_handle<void>> parked;
  for (int i = 0; i < 3; ++i) {
    parked.push_back(tasks.spawn("parked", [&] {
      const std::stop_callback told{tasks.current()->get_stop_token(), [&] {
                                      tasks.spawn("late", [&] { ++spawned; });
                                      for (auto& each : parked) each.cancel();
                                      ended.pop_back();
                                    }};
      tasks.park();
      ++unwound;
    }));
  }
  run_all(tasks);
  tasks.cancel_all();
  BOOST_TEST(ended.size() == 0u);
  run_all(tasks);
  BOOST_TEST(unwound == 3);
  BOOST_TEST(spawned == 0);  // cancel_all() comes to them as well
}

BOOST_AUTO_TEST_CASE(a_stop_callback_finds_the_fiber_woken) {
  task_queue tasks;
  auto state = fibers::fiber::state::finished;
  auto parked = tasks.spawn("parked", [&] {
    auto& self = *tasks.current();
    const std::stop_callback told{self.get_stop_token(), [&] { state = self.status(); }};
    tasks.park();
  });
  run_all(tasks);
  parked.cancel();
  BOOST_TEST((state == fibers::fiber::state::ready));
  run_all(tasks);
}

BOOST_AUTO_TEST_CASE(what_a_body_captured_is_destroyed_when_the_fiber_ends) {
  in_task_queue([](task_queue& tasks) {
    auto shared = std::make_shared<int>(1);
    auto body = tasks.spawn("body", [shared] { return *shared; });
    BOOST_TEST(shared.use_count() == 2);
    tasks.yield();
    BOOST_TEST(body.done());
    BOOST_TEST(shared.use_count() == 1);
  });
}

BOOST_AUTO_TEST_CASE(a_body_is_moved_once_to_the_stack_of_its_fiber) {
  struct counts_moves {
    int* moves;
    explicit counts_moves(int& of) : moves{&of} {}
    counts_moves(counts_moves&& other) noexcept : moves{other.moves} { ++*moves; }
    void operator()() const {}
  };
  int moves = 0;
  in_task_queue([&](task_queue& tasks) { tasks.spawn("body", counts_moves{moves}).join(); });
  BOOST_TEST(moves == 1);
}

BOOST_AUTO_TEST_CASE(a_body_that_cannot_be_copied_leaves_no_fiber) {
  struct throws_when_copied {
    throws_when_copied() = default;
    throws_when_copied(const throws_when_copied&) { throw std::runtime_error{"no copy"}; }
    void operator()() const {}
  };
  in_task_queue([](task_queue& tasks) {
    const throws_when_copied body;
    BOOST_CHECK_THROW(tasks.spawn("body", body), std::runtime_error);
    BOOST_TEST(tasks.alive_count() == 1U);  // the caller
    BOOST_TEST(tasks.spawn("next", [] { return 1; }).join() == 1);
  });
}

BOOST_AUTO_TEST_CASE(what_a_body_captured_may_still_give_way_while_it_is_destroyed) {
  struct yields_when_destroyed {
    task_queue* tasks;
    std::string* diary;
    ~yields_when_destroyed() {
      *diary += 'b';
      tasks->yield();
      *diary += 'd';
    }
  };
  std::string diary;
  in_task_queue([&](task_queue& tasks) {
    auto body = tasks.spawn(
        "body",
        [held = std::unique_ptr<yields_when_destroyed>(new yields_when_destroyed{&tasks, &diary}),
         &diary] { diary += 'a'; });
    tasks.spawn("other", [&] { diary += 'c'; });
    body.join();
    diary += 'e';
  });
  BOOST_TEST(diary == "abcde");
}

BOOST_AUTO_TEST_CASE(a_fiber_has_a_name_and_a_number_of_its_own) {
  in_task_queue([](task_queue& tasks) {
    std::string name = "temporary";
    auto first = tasks.spawn(name, [] {});
    name = "changed";
    auto second = tasks.spawn(std::string(1000, 'x'), [] {});
    BOOST_TEST(first.record().name() == "temporary");
    BOOST_TEST(second.record().name() == std::string(255, 'x'));
    BOOST_TEST(first.record().id() != second.record().id());
    BOOST_TEST(tasks.current()->name() == "first");
  });
}

BOOST_AUTO_TEST_CASE(every_fiber_alive_can_be_listed) {
  in_task_queue([](task_queue& tasks) {
    auto parked = tasks.spawn("parked", [&] { tasks.park(); });
    tasks.spawn("gone", [] {});
    tasks.yield();
    tasks.spawn("ready", [] {});
    std::string listing;
    tasks.for_each([&](const fiber& each) {
      constexpr const char* words[] = {"ready", "running", "parked", "finished"};
      listing += std::string{each.name()} + ' ' + words[static_cast<int>(each.status())] + ", ";
    });
    BOOST_TEST(listing == "first running, parked parked, ready ready, ");
    BOOST_TEST(tasks.alive_count() == 3u);
    parked.cancel();
  });
}

BOOST_AUTO_TEST_CASE(the_running_queue_is_found_by_its_fibers_and_by_nobody_else) {
  BOOST_CHECK_THROW(task_queue::running(), std::logic_error);
  in_task_queue([](task_queue& tasks) {
    BOOST_TEST((&task_queue::running() == &tasks));
    task_queue inner;
    inner.spawn("inner", [&] { BOOST_TEST((&task_queue::running() == &inner)); });
    run_all(inner);
    BOOST_TEST((&task_queue::running() == &tasks));
  });
  BOOST_CHECK_THROW(task_queue::running(), std::logic_error);
}

BOOST_AUTO_TEST_CASE(fibers_spawn_fibers_in_any_number) {
  task_queue tasks;
  int ran = 0;
  struct spawner {
    task_queue& tasks;
    int& ran;
    int generations;
    void operator()() const {
      ++ran;
      if (generations == 0) return;
      tasks.spawn("left", spawner{tasks, ran, generations - 1});
      tasks.spawn("right", spawner{tasks, ran, generations - 1});
    }
  };
  tasks.spawn("root", spawner{tasks, ran, 9});
  run_all(tasks);
  BOOST_TEST(ran == 1023);
}

BOOST_AUTO_TEST_CASE(a_fiber_that_has_ended_is_not_listed_though_a_handle_is_left) {
  in_task_queue([](task_queue& tasks) {
    const auto ended = tasks.spawn("ended", [] {});
    tasks.yield();
    std::string names;
    tasks.for_each([&](fiber& each) { names += each.name(); });
    std::as_const(tasks).for_each([&](const fiber& each) { names += each.name(); });
    BOOST_TEST(names == "firstfirst");
  });
}

BOOST_AUTO_TEST_CASE(a_stop_token_that_is_made_after_the_cancellation_tells_of_it) {
  in_task_queue([](task_queue& tasks) {
    auto late = tasks.spawn("late", [&] { tasks.park(); });
    tasks.yield();
    late.cancel();
    BOOST_TEST(late.record().get_stop_token().stop_requested());
  });
}

BOOST_AUTO_TEST_CASE(a_cancelled_fiber_does_not_park) {
  in_task_queue([](task_queue& tasks) {
    tasks.current()->cancel();
    tasks.park();  // nobody would wake it
    BOOST_CHECK_THROW(tasks.check_cancelled(), cancelled);
  });
}

BOOST_AUTO_TEST_SUITE_END()
