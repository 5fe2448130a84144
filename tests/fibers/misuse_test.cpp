// Misuse by which two flows of control would use one stack, or code would never end: the program
// prints why, and aborts where nothing else is left.
#include <fibers/condition_variable.hpp>
#include <fibers/generator.hpp>
#include <fibers/mutex.hpp>
#include <fibers/nursery.hpp>
#include <fibers/scheduler.hpp>
#include <fibers/test.hpp>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <tests/child_process.hpp>
#include <tests/fibers/fiber_worlds.hpp>

using fibers::coroutine;
using fibers::generator;
using fibers::task_queue;

namespace {

// Runs `body` as the first fiber of a scheduler. An exception that leaves it comes out.
template <class Body>
void in_scheduler(Body body) {
  fibers::scheduler scheduler{fibers::io::epoll};
  auto first = scheduler.spawn("first", [&] { body(scheduler); });
  scheduler.run();
  first.join();
}

// --- roles -----------------------------------------------------------------------------------

void destroy_a_simulation_that_cannot_end() {
  fibers::test::simulation world;
  world.spawn([&] { world.scheduler().tasks().park_uncancellable(); });
  try {
    world.run();
  } catch (const fibers::test::deadlock&) {
  }
}

// Calls `misuse` with a generator, from the body of that generator.
void in_the_body(std::function<void(std::optional<generator<int>>&)> misuse) {
  std::optional<generator<int>> numbers;
  numbers.emplace([&](auto& yield) {
    yield(1);
    misuse(numbers);
    yield(2);
  });
  numbers->next();
  numbers->next();
}

void drop_a_generator_in_its_body() {
  in_the_body([](auto& numbers) { numbers.reset(); });
}

void move_over_a_generator_in_its_body() {
  in_the_body([](auto& numbers) { *numbers = generator<int>{[](auto& yield) { yield(3); }}; });
}

void move_a_generator_in_its_body() {
  in_the_body([](auto& numbers) { const generator<int> stolen{std::move(*numbers)}; });
}

void drop_a_generator_in_which_another_fiber_waits() {
  task_queue tasks;
  std::optional<generator<int>> numbers;
  numbers.emplace([&](auto& yield) {
    tasks.park();
    yield(1);
  });
  tasks.spawn("drives", [&] { numbers->next(); });
  tasks.spawn("drops", [&] { numbers.reset(); });
  run_all(tasks);
}

void destroy_a_coroutine_in_its_body() {
  std::unique_ptr<coroutine> self;
  self = std::make_unique<coroutine>([&](coroutine&) { self.reset(); });
  self->resume();
}

void destroy_a_coroutine_from_one_that_it_resumed() {
  std::unique_ptr<coroutine> outer;
  outer = std::make_unique<coroutine>([&](coroutine&) {
    coroutine inner{[&](coroutine&) { outer.reset(); }};
    inner.resume();
  });
  outer->resume();
}

void resume_a_coroutine_in_its_body() {
  coroutine again{[](coroutine& self) { self.resume(); }};
  again.resume();
}

void destroy_a_queue_that_has_fibers() {
  std::optional<task_queue> tasks{std::in_place};
  tasks->spawn("left", [&] { tasks->park_uncancellable(); });
  run_all(*tasks);
  tasks.reset();
}

void destroy_a_queue_from_its_fiber() {
  auto tasks = std::make_unique<task_queue>();
  tasks->spawn("drops", [&] { tasks.reset(); });
  run_all(*tasks);
}

void run_a_queue_from_its_fiber() {
  task_queue tasks;
  tasks.spawn("runs", [&] { tasks.run_round(); });
  run_all(tasks);
}

void destroy_a_scheduler_from_its_fiber() {
  auto scheduler = std::make_unique<fibers::scheduler>(fibers::io::epoll);
  scheduler->spawn("drops", [&] { scheduler.reset(); });
  scheduler->run();
}

void swallow_the_end_of_a_generator() {
  generator<int> stubborn{[](auto& yield) {
    for (;;) {
      try {
        yield(1);
      } catch (...) {
      }
    }
  }};
  stubborn.next();
}

// The deadline is for a library that does not let the other fiber run.
void swallow_a_cancellation() {
  fibers::scheduler scheduler{fibers::io::epoll};
  bool slept = false;
  int swallowed = 0;
  const auto stubborn = [&] {
    const auto end = fibers::clock::now() + patience;
    while (!slept && fibers::clock::now() < end) {
      try {
        fibers::this_fiber::sleep_for(1h);
      } catch (...) {
        ++swallowed;
      }
    }
  };
  auto stubborn_fiber = scheduler.spawn("stubborn", stubborn);
  scheduler.spawn("sleeps", [&] {
    stubborn_fiber.cancel();
    while (swallowed < 2 * task_queue::many_cancellations) fibers::this_fiber::sleep_for(10ms);
    slept = true;
  });
  scheduler.run();
}

void request_a_stop_on_another_thread() {
  task_queue tasks;
  fibers::mutex door;
  fibers::condition_variable arrived;
  std::stop_source stop;
  tasks.spawn("waits", [&] {
    std::unique_lock lock{door};
    arrived.wait(lock, stop.get_token(), [] { return false; });
  });
  run_all(tasks);
  std::thread{[&] { stop.request_stop(); }}.join();
}

void lock_twice_in_a_destructor() {
  struct locks_when_destroyed {
    fibers::mutex& door;
    ~locks_when_destroyed() { door.lock(); }
  };
  task_queue tasks;
  fibers::mutex door;
  tasks.spawn("locks twice", [&] {
    const std::lock_guard lock{door};
    const locks_when_destroyed again{door};
    throw std::runtime_error{"over"};
  });
  run_all(tasks);
}

void destroy_a_nursery_in_its_child() {
  task_queue tasks;
  tasks.spawn("parent", [&] {
    auto group = std::make_unique<fibers::nursery>();
    group->spawn("child", [&] { group.reset(); });
    group->join();
  });
  run_all(tasks);
}

void ask_an_empty_handle() {
  task_queue tasks;
  auto joined = tasks.spawn("joined", [] {});
  run_all(tasks);
  joined.join();
  static_cast<void>(joined.done());
}

void change_threads_inside_of_a_nested_coroutine() {
  coroutine outer{[](coroutine& self) {
    coroutine inner{[&](coroutine&) { self.suspend(); }};
    inner.resume();
  }};
  outer.resume();
  std::thread{[&] { outer.resume(); }}.join();
}

void block_in_a_stop_callback() {
  task_queue tasks;
  auto parked = tasks.spawn("parked", [&] {
    const std::stop_callback blocks{tasks.current()->get_stop_token(), [&] { tasks.park(); }};
    tasks.park();
  });
  tasks.spawn("cancels", [&] { parked.cancel(); });
  run_all(tasks);
}

void lock_what_a_fiber_left_locked() {
  task_queue tasks;
  fibers::mutex door;
  tasks.spawn("forgetful", [&] { door.lock(); });
  tasks.spawn("waits", [&] { door.lock(); });
  run_all(tasks);
}

struct mistake {
  std::string_view role;
  std::string_view sentence;
};

const mistake mistakes[] = {
    {"drop in body", "a generator was destroyed while it runs"},
    {"move over in body", "a generator was destroyed while it runs"},
    {"move in body", "a generator was moved while it runs"},
    {"drop while another waits", "a generator was destroyed while it runs"},
    {"coroutine in body", "a coroutine was destroyed while it runs"},
    {"coroutine from inner", "a coroutine was destroyed while it runs"},
    {"resume in body", "a coroutine was resumed while it runs"},
    {"queue with fibers", "a task_queue was destroyed while it has fibers"},
    {"queue from fiber", "a task_queue was destroyed by one of its fibers"},
    {"round from fiber", "a fiber cannot run the queue that runs it"},
    {"scheduler from fiber", "a scheduler was destroyed by one of its fibers"},
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_would_put_two_on_one_stack_ends_the_program_with_a_sentence) {
  for (const auto& [role, sentence] : mistakes) {
    const auto ended = run_role(role);
    BOOST_TEST((ended.signal == SIGABRT || (sanitized && ended.exit_code > 0)), role);
    BOOST_TEST(ended.errors.find(sentence) != std::string::npos, role << ": " << ended.errors);
  }
}

#ifndef NDEBUG
BOOST_AUTO_TEST_CASE(to_ask_an_empty_handle_is_an_assertion) {
  const auto ended = run_role("empty handle");
  BOOST_TEST((ended.signal == SIGABRT || (sanitized && ended.exit_code > 0)));
  BOOST_TEST(ended.errors.find("the handle is empty") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_nested_coroutine_that_changes_threads_is_an_assertion) {
  const auto ended = run_role("change threads");
  BOOST_TEST((ended.signal == SIGABRT || (sanitized && ended.exit_code > 0)));
  BOOST_TEST(ended.errors.find("a nested coroutine stays on its thread") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stop_callback_that_blocks_is_an_assertion) {
  const auto ended = run_role("callback blocks");
  BOOST_TEST((ended.signal == SIGABRT || (sanitized && ended.exit_code > 0)));
  BOOST_TEST(ended.errors.find("the callback of a stop token blocks") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_lock_of_a_mutex_that_a_fiber_left_locked_is_an_assertion) {
  const auto ended = run_role("left locked");
  BOOST_TEST((ended.signal == SIGABRT || (sanitized && ended.exit_code > 0)));
  BOOST_TEST(ended.errors.find("a fiber ended with the mutex locked") != std::string::npos);
}
#endif

BOOST_AUTO_TEST_CASE(
    a_stop_of_another_thread_that_would_end_a_wait_ends_the_program_with_a_sentence) {
  const auto ended = run_role("stop on another thread");
  BOOST_TEST((ended.signal == SIGABRT || (sanitized && ended.exit_code > 0)));
  BOOST_TEST(ended.errors.find("was requested on another thread") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_would_wait_for_itself_in_a_destructor_ends_the_program_with_a_sentence) {
  for (const auto& [role, sentence] :
       {mistake{"lock twice in destructor", "a fiber locks a mutex twice"},
        mistake{"nursery in child", "a nursery was destroyed by one of its children"}}) {
    const auto ended = run_role(role);
    BOOST_TEST((ended.signal == SIGABRT || (sanitized && ended.exit_code > 0)), role);
    BOOST_TEST(ended.errors.find(sentence) != std::string::npos, role << ": " << ended.errors);
  }
}

BOOST_AUTO_TEST_CASE(a_generator_that_swallows_its_end_ends_the_program_with_a_sentence) {
  const auto ended = run_role("swallow an end");
  BOOST_TEST((ended.signal == SIGABRT || (sanitized && ended.exit_code > 0)));
  BOOST_TEST(ended.errors.find("swallows `cancelled` for ever") != std::string::npos, ended.errors);
}

BOOST_AUTO_TEST_CASE(a_fiber_that_swallows_its_cancellation_is_named_once) {
  const auto ended = run_role("swallow a cancellation");
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(ended.errors == "fibers: the fiber \"stubborn\" swallows its cancellation for ever\n");
}

BOOST_AUTO_TEST_CASE(a_fiber_that_runs_its_own_scheduler_is_told) {
  in_scheduler(
      [](fibers::scheduler& scheduler) { BOOST_CHECK_THROW(scheduler.run(), std::logic_error); });
}

BOOST_AUTO_TEST_CASE(a_fiber_of_an_inner_scheduler_that_runs_the_outer_one_is_told) {
  in_scheduler([](fibers::scheduler& outer) {
    fibers::scheduler inner{fibers::io::epoll};
    inner.spawn([&] { BOOST_CHECK_THROW(outer.run(), std::logic_error); });
    inner.run();
  });
}

BOOST_AUTO_TEST_CASE(who_yields_for_a_generator_from_outside_of_its_body_is_told) {
  generator<int>::yielder* kept = nullptr;
  generator<int> numbers{[&](generator<int>::yielder& yield) {
    kept = &yield;
    yield(1);
    yield(2);
  }};
  BOOST_TEST(numbers.next() == 1);
  BOOST_CHECK_THROW((*kept)(3), std::logic_error);
  BOOST_TEST(numbers.next() == 2);
}

BOOST_AUTO_TEST_CASE(a_coroutine_runs_from_its_resumption_to_its_suspension) {
  coroutine* seen = nullptr;
  coroutine body{[&](coroutine& self) {
    seen = &self;
    BOOST_TEST(self.running());
    coroutine inner{[&](coroutine&) { BOOST_TEST(self.running()); }};
    inner.resume();
    self.suspend();
  }};
  BOOST_TEST(!body.running());
  body.resume();
  BOOST_TEST(seen == &body);
  BOOST_TEST(!body.running());
  body.resume();
  BOOST_TEST(!body.running());
}

BOOST_AUTO_TEST_CASE(a_simulation_that_can_never_end_ends_the_program_with_a_sentence) {
  const auto ended = run_role("endless simulation");
  BOOST_TEST((ended.signal == SIGABRT || (sanitized && ended.exit_code > 0)));
  BOOST_TEST(ended.errors.find("a simulation was destroyed while fibers wait for ever") !=
             std::string::npos);
}

int main(int argc, char** argv) {
  return run_tests_or_role(
      {{"drop in body", drop_a_generator_in_its_body},
       {"move over in body", move_over_a_generator_in_its_body},
       {"move in body", move_a_generator_in_its_body},
       {"drop while another waits", drop_a_generator_in_which_another_fiber_waits},
       {"coroutine in body", destroy_a_coroutine_in_its_body},
       {"coroutine from inner", destroy_a_coroutine_from_one_that_it_resumed},
       {"resume in body", resume_a_coroutine_in_its_body},
       {"queue with fibers", destroy_a_queue_that_has_fibers},
       {"queue from fiber", destroy_a_queue_from_its_fiber},
       {"round from fiber", run_a_queue_from_its_fiber},
       {"scheduler from fiber", destroy_a_scheduler_from_its_fiber},
       {"stop on another thread", request_a_stop_on_another_thread},
       {"lock twice in destructor", lock_twice_in_a_destructor},
       {"nursery in child", destroy_a_nursery_in_its_child},
       {"empty handle", ask_an_empty_handle},
       {"change threads", change_threads_inside_of_a_nested_coroutine},
       {"callback blocks", block_in_a_stop_callback},
       {"left locked", lock_what_a_fiber_left_locked},
       {"swallow an end", swallow_the_end_of_a_generator},
       {"swallow a cancellation", swallow_a_cancellation},
       {"endless simulation", destroy_a_simulation_that_cannot_end}},
      argc, argv);
}
