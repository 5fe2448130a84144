#include <fibers/print_fibers.hpp>

#include <tests/fibers/four_fibers.hpp>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

using namespace std::chrono_literals;

namespace {

std::string printed(fibers::task_queue& tasks) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::tmpfile(), &std::fclose};
  fibers::print_fibers(tasks, file.get());
  std::string text(static_cast<std::size_t>(std::ftell(file.get())), '\0');
  std::rewind(file.get());
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(
    every_fiber_is_printed_with_where_it_stands_and_goes_on_as_if_nobody_had_looked) {
  fibers::channel<int> items{1};
  std::string first;
  std::string again;
  const int sum = four_fibers(items, [&](fibers::scheduler& scheduler) {
    first = printed(scheduler.tasks());
    again = printed(scheduler.tasks());
    items.push(40);
    fibers::this_fiber::sleep_for(1ms);
    scheduler.stop();
  });
  BOOST_TEST(first.starts_with("fiber 1, parked, \"consumer\"\n"), first);
  expect_two_backtraces(first);
  expect_two_backtraces(again);
  BOOST_TEST(again.ends_with("fiber 3, running, \"last\"\nfiber 4, ready, \"fresh\"\n"), again);
  BOOST_TEST(sum == 42);
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_looked_at_keeps_the_exception_it_handles) {
  fibers::task_queue tasks;
  std::string caught;
  tasks.spawn("handles", [&] {
    try {
      throw std::string{"mine"};
    } catch (...) {
      tasks.yield();
      try {
        throw;
      } catch (const std::string& text) {
        caught = text;
      }
    }
  });
  tasks.spawn("looks", [&] {
    try {
      throw 7;
    } catch (int) {
      printed(tasks);
    }
  });
  while (tasks.any_ready()) tasks.run_round();
  BOOST_TEST(caught == "mine");
}

BOOST_AUTO_TEST_CASE(a_fiber_that_has_ended_is_not_printed) {
  fibers::task_queue tasks;
  const auto ended = tasks.spawn("ended", [] {});
  tasks.spawn("other", [&] { tasks.park(); });
  tasks.run_round();
  const auto said = printed(tasks);
  BOOST_TEST(said.find("ended") == said.npos, said);
  BOOST_TEST(said.find("\"other\"") != said.npos, said);
}
