#include <fibers/nursery.hpp>
#include <fibers/semaphore.hpp>

#include <tests/fibers/appends_when_destroyed.hpp>
#include <tests/fibers/fiber_worlds.hpp>

#include <boost/test/unit_test.hpp>
#include <memory>
#include <stdexcept>
#include <string>

using fibers::cancelled;
using fibers::nursery;
using fibers::task_queue;

namespace {

// Parks until the fiber is cancelled.
void wait_for_ever(task_queue& tasks) {
  for (;;) {
    tasks.park();
    tasks.check_cancelled();
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(join_waits_for_every_child) {
  in_task_queue([](task_queue& tasks) {
    nursery group;
    std::string diary;
    for (const char name : {'a', 'b', 'c'}) {
      group.spawn("child", [&, name] {
        tasks.yield();
        diary += name;
      });
    }
    group.spawn([&] { diary += 'd'; });
    BOOST_TEST(group.size() == 4u);
    group.join();
    BOOST_TEST(diary == "dabc");
    BOOST_TEST(group.size() == 0u);
    group.join();
  });
}

BOOST_AUTO_TEST_CASE(a_child_may_own_what_can_only_be_moved_and_is_destroyed_before_join_returns) {
  in_task_queue([](task_queue& tasks) {
    std::string diary;
    {
      nursery group;
      group.spawn("child",
                  [&diary, &tasks, held = std::make_unique<appends_when_destroyed>(diary, 'c')] {
                    tasks.yield();
                    diary += 'b';
                  });
      group.join();
      diary += 'j';
    }
    BOOST_TEST(diary == "bcj");
  });
}

BOOST_AUTO_TEST_CASE(a_child_is_named) {
  in_task_queue([](task_queue& tasks) {
    nursery group;
    std::string names;
    group.spawn("left", [&] { names += tasks.current()->name(); });
    group.spawn([&] { names += tasks.current()->name(); });
    group.join();
    BOOST_TEST(names == "leftanonymous");
  });
}

BOOST_AUTO_TEST_CASE(children_spawn_siblings) {
  in_task_queue([](task_queue& tasks) {
    nursery group;
    int ran = 0;
    group.spawn("first", [&] {
      tasks.yield();
      group.spawn("second", [&] {
        tasks.yield();
        group.spawn("third", [&] { ++ran; });
        ++ran;
      });
      ++ran;
    });
    group.join();
    BOOST_TEST(ran == 3);
  });
}

BOOST_AUTO_TEST_CASE(nurseries_nest) {
  in_task_queue([](task_queue& tasks) {
    nursery outer;
    int ran = 0;
    for (int i = 0; i < 3; ++i) {
      outer.spawn("outer child", [&] {
        nursery inner;
        for (int j = 0; j < 3; ++j) {
          inner.spawn("inner child", [&] {
            tasks.yield();
            ++ran;
          });
        }
        inner.join();
      });
    }
    outer.join();
    BOOST_TEST(ran == 9);
  });
}

BOOST_AUTO_TEST_CASE(only_a_fiber_can_have_a_nursery) {
  BOOST_CHECK_THROW(nursery{}, std::logic_error);
}

// A fiber that has ended is destroyed when the next one is spawned.
BOOST_AUTO_TEST_CASE(a_result_that_spawns_a_sibling_when_it_is_destroyed_leaves_the_list_right) {
  in_task_queue([](task_queue& tasks) {
    nursery group;
    std::string diary;
    const auto child = [&](char name) {
      group.spawn("child", [&, name] {
        appends_when_destroyed local{diary, name};
        wait_for_ever(tasks);
      });
    };
    tasks.spawn("unwanted", [&] {
      return std::shared_ptr<void>{nullptr, [&](void*) { child('r'); }};
    });
    tasks.yield();
    child('a');
    BOOST_TEST(group.size() == 2u);
    tasks.yield();
    group.cancel();
    group.join();
    BOOST_TEST(diary == "ra");
  });
}

BOOST_AUTO_TEST_CASE(a_body_that_spawns_a_sibling_when_it_is_moved_leaves_the_list_right) {
  struct spawns_when_moved {
    nursery& group;
    std::string& diary;
    int& moves_left;
    spawns_when_moved(nursery& of, std::string& text, int& moves)
        : group{of}, diary{text}, moves_left{moves} {}
    spawns_when_moved(spawns_when_moved&& other) noexcept
        : group{other.group}, diary{other.diary}, moves_left{other.moves_left} {
      if (--moves_left == 0) group.spawn("inner", [&text = diary] { text += 'i'; });
    }
    void operator()() { diary += 'o'; }
  };
  in_task_queue([](task_queue&) {
    for (const int move : {1, 2, 3}) {
      nursery group;
      std::string diary;
      int moves_left = move;
      group.spawn("outer", spawns_when_moved{group, diary, moves_left});
      BOOST_TEST(group.size() == 2u);
      group.join();
      BOOST_TEST(diary == "io");
      moves_left = move;
      group.spawn("outer", spawns_when_moved{group, diary, moves_left});
      group.cancel();
      group.join();
      BOOST_TEST(diary == "io");
    }
  });
}

BOOST_AUTO_TEST_CASE(a_child_that_joins_its_nursery_is_told) {
  in_timed_queue([](task_queue& tasks) {
    nursery group;
    int told = 0;
    group.spawn("child", [&] {
      tasks.yield();
      const auto join = [&] { group.join(); };
      const auto join_for = [&] { static_cast<void>(group.join_for(1ms)); };
      BOOST_CHECK_THROW(join(), std::logic_error);
      BOOST_CHECK_THROW(join_for(), std::logic_error);
      ++told;
    });
    group.spawn("cancelled child", [&] {
      try {
        wait_for_ever(tasks);
      } catch (const cancelled&) {
        BOOST_CHECK_THROW(group.join(), std::logic_error);
        ++told;
      }
    });
    auto stranger = tasks.spawn("stranger", [&] { group.join(); });
    tasks.yield();
    tasks.yield();
    group.cancel();
    group.join();
    stranger.join();
    BOOST_TEST(told == 2);
  });
}

// --- exceptions ------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_first_exception_cancels_the_siblings_and_comes_out_of_join) {
  in_task_queue([](task_queue& tasks) {
    std::string diary;
    nursery group;
    group.spawn("waiting", [&] {
      appends_when_destroyed local{diary, 'w'};
      wait_for_ever(tasks);
    });
    group.spawn("failing", [&] {
      tasks.yield();
      throw std::out_of_range{"first"};
    });
    group.spawn("failing later", [&] {
      try {
        wait_for_ever(tasks);
      } catch (const cancelled&) {
        throw std::runtime_error{"second"};
      }
    });
    BOOST_CHECK_THROW(group.join(), std::out_of_range);
    BOOST_TEST(diary == "w");
    BOOST_TEST(group.size() == 0u);
  });
}

BOOST_AUTO_TEST_CASE(of_two_children_that_throw_the_first_comes_out_and_both_are_counted) {
  in_task_queue([](task_queue& tasks) {
    nursery group;
    BOOST_TEST(group.failures() == 0u);
    group.spawn("unwinding", [&] { wait_for_ever(tasks); });
    group.spawn("failing as it unwinds", [&] {
      try {
        wait_for_ever(tasks);
      } catch (const cancelled&) {
        throw std::runtime_error{"second"};
      }
    });
    group.spawn("failing", [] { throw std::out_of_range{"first"}; });
    BOOST_CHECK_THROW(group.join(), std::out_of_range);
    BOOST_TEST(group.failures() == 2u);
    group.spawn("failing", [] { throw std::runtime_error{"third"}; });
    BOOST_CHECK_THROW(group.join(), std::runtime_error);
    BOOST_TEST(group.failures() == 3u);
  });
}

BOOST_AUTO_TEST_CASE(a_child_spawned_after_an_exception_does_not_run_and_after_join_it_does) {
  in_task_queue([](task_queue& tasks) {
    nursery group;
    int ran = 0;
    group.spawn("failing", [] { throw std::out_of_range{"first"}; });
    tasks.yield();
    group.spawn("too late", [&] { ++ran; });
    BOOST_CHECK_THROW(group.join(), std::out_of_range);
    BOOST_TEST(ran == 0);
    group.spawn("next", [&] { ++ran; });
    group.join();
    BOOST_TEST(ran == 1);
  });
}

BOOST_AUTO_TEST_CASE(spawn_tells_that_a_sibling_has_failed_or_all_were_cancelled) {
  in_task_queue([](task_queue& tasks) {
    nursery group;
    BOOST_TEST(group.spawn("failing", [] { throw std::out_of_range{"first"}; }));
    BOOST_TEST(group.spawn("failing later", [] { throw std::out_of_range{"second"}; }));
    tasks.yield();
    BOOST_TEST(!group.spawn("too late", [] {}));
    BOOST_TEST(!group.spawn([] {}));
    BOOST_CHECK_THROW(group.join(), std::out_of_range);
    BOOST_TEST(group.spawn("next", [] {}));
    group.cancel();
    BOOST_TEST(!group.spawn("too late", [] {}));
    group.join();
  });
}

BOOST_AUTO_TEST_CASE(an_exception_of_an_inner_nursery_goes_through_to_the_outer_one) {
  in_task_queue([](task_queue& tasks) {
    std::string diary;
    nursery outer;
    outer.spawn("waiting", [&] {
      appends_when_destroyed local{diary, 'w'};
      wait_for_ever(tasks);
    });
    outer.spawn("with children", [&] {
      nursery inner;
      inner.spawn("failing", [] { throw std::out_of_range{"inner"}; });
      inner.join();
    });
    BOOST_CHECK_THROW(outer.join(), std::out_of_range);
    BOOST_TEST(diary == "w");
  });
}

// --- leaving the scope -----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_nursery_that_is_left_without_join_cancels_and_waits) {
  in_task_queue([](task_queue& tasks) {
    std::string diary;
    {
      nursery group;
      group.spawn("child", [&] {
        appends_when_destroyed local{diary, 'c'};
        wait_for_ever(tasks);
      });
      tasks.yield();
    }
    BOOST_TEST(diary == "c");
  });
}

BOOST_AUTO_TEST_CASE(a_scope_left_by_an_exception_takes_its_children_with_it) {
  in_task_queue([](task_queue& tasks) {
    std::string diary;
    try {
      nursery group;
      group.spawn("child", [&] {
        appends_when_destroyed local{diary, 'c'};
        wait_for_ever(tasks);
      });
      tasks.yield();
      throw std::out_of_range{"of the scope"};
    } catch (const std::out_of_range&) {
      diary += 'e';
    }
    BOOST_TEST(diary == "ce");
  });
}

BOOST_AUTO_TEST_CASE(a_child_that_takes_its_time_to_unwind_is_waited_for) {
  in_task_queue([](task_queue& tasks) {
    bool let_go = false;
    bool over = false;
    fibers::fiber* slow = nullptr;
    auto parent = tasks.spawn("parent", [&] {
      {
        nursery group;
        group.spawn("slow", [&] {
          slow = tasks.current();
          while (!let_go) tasks.park_uncancellable();
        });
        tasks.yield();
      }
      over = true;
    });
    tasks.yield();
    tasks.yield();
    parent.cancel();
    tasks.yield();
    BOOST_TEST(!over);
    let_go = true;
    tasks.wake(*slow);
    parent.join();
    BOOST_TEST(over);
  });
}

// --- cancel ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(cancel_unwinds_the_children_and_is_no_error) {
  in_task_queue([](task_queue& tasks) {
    std::string diary;
    nursery group;
    for (const char name : {'a', 'b'}) {
      group.spawn("child", [&, name] {
        appends_when_destroyed local{diary, name};
        wait_for_ever(tasks);
      });
    }
    tasks.yield();
    group.spawn("unborn", [&] { diary += "never"; });
    group.cancel();
    BOOST_TEST(diary == "");
    group.join();
    BOOST_TEST(diary == "ab");
  });
}

BOOST_AUTO_TEST_CASE(a_parent_that_is_cancelled_in_join_unwinds_its_children_first) {
  in_task_queue([](task_queue& tasks) {
    std::string diary;
    auto parent = tasks.spawn("parent", [&] {
      nursery group;
      group.spawn("child", [&] {
        appends_when_destroyed local{diary, 'c'};
        wait_for_ever(tasks);
      });
      try {
        group.join();
      } catch (const cancelled&) {
        diary += 'p';
        throw;
      }
    });
    tasks.yield();
    tasks.yield();
    parent.cancel();
    BOOST_CHECK_THROW(parent.join(), cancelled);
    BOOST_TEST(diary == "cp");
  });
}

BOOST_AUTO_TEST_CASE(all_fibers_of_a_tree_unwind_when_all_are_cancelled) {
  task_queue tasks;
  std::string diary;
  tasks.spawn("root", [&] {
    appends_when_destroyed local{diary, 'r'};
    nursery group;
    group.spawn("branch", [&] {
      appends_when_destroyed branch_local{diary, 'b'};
      nursery leaves;
      leaves.spawn("leaf", [&] {
        appends_when_destroyed leaf_local{diary, 'l'};
        wait_for_ever(tasks);
      });
      leaves.join();
    });
    group.join();
  });
  run_all(tasks);
  tasks.cancel_all();
  run_all(tasks);
  BOOST_TEST(diary == "lbr");
  BOOST_TEST(!tasks.any_alive());
}

// --- deadlines -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_deadline_ends_the_wait_and_the_children_run_on) {
  in_timed_queue([](task_queue&) {
    fibers::semaphore may_end{0};
    nursery group;
    bool finished = false;
    group.spawn("slow", [&] {
      may_end.acquire();
      finished = true;
    });
    BOOST_TEST(!group.join_for(5ms));
    BOOST_TEST(!finished);
    BOOST_TEST(group.size() == 1u);
    may_end.release();
    BOOST_TEST(group.join_for(patience));
    BOOST_TEST(finished);
    BOOST_TEST(group.join_for(0ms));
  });
}

BOOST_AUTO_TEST_CASE(an_exception_comes_out_of_a_join_with_a_deadline) {
  in_timed_queue([](task_queue& tasks) {
    nursery group;
    group.spawn("sleeping", [&] { sleep_for(tasks, patience); });
    group.spawn("failing", [&] {
      sleep_for(tasks, 1ms);
      throw std::out_of_range{"late"};
    });
    BOOST_CHECK_THROW(static_cast<void>(group.join_for(patience)), std::out_of_range);
  });
}

// Moves its body into the nursery, which calls the constructor below.
struct cancels_when_moved {
  explicit cancels_when_moved(nursery& of, int& ran) : group{of}, runs{ran} {}
  cancels_when_moved(cancels_when_moved&& other) noexcept : group{other.group}, runs{other.runs} {
    group.cancel();
  }
  void operator()() const { ++runs; }
  nursery& group;
  int& runs;
};

BOOST_AUTO_TEST_CASE(a_cancel_while_a_child_is_being_spawned_reaches_it) {
  in_task_queue([](task_queue&) {
    int ran = 0;
    nursery group;
    BOOST_TEST(!group.spawn(cancels_when_moved{group, ran}));
    group.join();
    BOOST_TEST(ran == 0);
  });
}
