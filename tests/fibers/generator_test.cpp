// Generators: next, send, throw_, ranges, types of values, and generators in fibers.
#include <fibers/generator.hpp>

#include <tests/fibers/appends_when_destroyed.hpp>
#include <tests/fibers/fiber_worlds.hpp>
#include <tests/fibers/generators.hpp>

#include <boost/test/unit_test.hpp>
#include <concepts>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using fibers::generator;
using fibers::stop_iteration;

namespace {

// Yields `low` to `high` in the order of a recursive walk through a binary tree.
void yield_in_order(int low, int high, generator<int>::yielder& yield) {
  if (low > high) return;
  const int middle = (low + high) / 2;
  yield_in_order(low, middle - 1, yield);
  yield(middle);
  yield_in_order(middle + 1, high, yield);
}

}  // namespace

static_assert(std::ranges::input_range<generator<int>>);
static_assert(std::ranges::view<generator<int>>);
static_assert(std::input_iterator<generator<std::unique_ptr<int>>::iterator>);
static_assert(!std::copyable<generator<int>>);

// --- next ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(next_gives_one_value_after_the_other_and_then_stop_iteration) {
  auto counter = countdown(2);
  BOOST_TEST(counter.next() == 2);
  BOOST_TEST(counter.next() == 1);
  BOOST_TEST(!counter.done());
  BOOST_CHECK_THROW(counter.next(), stop_iteration);
  BOOST_TEST(counter.done());
  BOOST_CHECK_THROW(counter.next(), stop_iteration);
}

BOOST_AUTO_TEST_CASE(next_or_gives_the_fallback_at_the_end) {
  auto counter = countdown(1);
  BOOST_TEST(counter.next_or(-1) == 1);
  BOOST_TEST(counter.next_or(-1) == -1);
  BOOST_TEST(counter.next_or(-2) == -2);
}

BOOST_AUTO_TEST_CASE(the_body_runs_from_the_first_next_on_and_not_before) {
  bool ran = false;
  generator<int> lazy{[&](auto& yield) {
    ran = true;
    yield(1);
  }};
  BOOST_TEST(!ran);
  lazy.next();
  BOOST_TEST(ran);
}

BOOST_AUTO_TEST_CASE(values_are_yielded_from_any_depth_of_calls) {
  generator<int> in_order{[](auto& yield) { yield_in_order(1, 1000, yield); }};
  int expected = 0;
  for (int value : in_order) BOOST_REQUIRE(value == ++expected);
  BOOST_TEST(expected == 1000);
}

BOOST_AUTO_TEST_CASE(driving_a_generator_from_inside_its_body_is_an_error_that_leaves_no_trace) {
  generator<int>* self = nullptr;
  std::vector<std::string> errors;
  const auto attempt = [&](auto drive) {
    try {
      drive();
    } catch (const std::logic_error& error) {
      errors.emplace_back(error.what());
    }
  };
  std::optional<int> sent;
  generator<int> body{[&](auto& yield) {
    yield(0);
    attempt([&] { self->next(); });
    attempt([&] { self->send(7); });
    attempt([&] { self->throw_(std::runtime_error{"injected"}); });
    attempt([&] { self->close(); });
    attempt([&] { self->begin(); });
    sent = yield(1);
    yield(2);
  }};
  self = &body;
  body.next();
  BOOST_TEST(body.next() == 1);
  BOOST_TEST(errors == std::vector<std::string>(5, "the generator is already running"),
             boost::test_tools::per_element());
  BOOST_TEST(body.next() == 2);
  BOOST_TEST(!sent.has_value());
}

// --- send ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_is_sent_is_the_result_of_the_yield_that_waits) {
  generator<int> sums{[](auto& yield) {
    int sum = 0;
    for (;;) sum += yield(sum).value_or(100);
  }};
  BOOST_TEST(sums.next() == 0);
  BOOST_TEST(sums.send(1) == 1);
  BOOST_TEST(sums.send(2) == 3);
  BOOST_TEST(sums.next() == 103);
}

BOOST_AUTO_TEST_CASE(what_is_sent_may_be_of_another_type_than_what_is_yielded) {
  generator<int, std::string> lengths{[](auto& yield) {
    int length = 0;
    for (;;) length = static_cast<int>(yield(length)->size());
  }};
  lengths.next();
  BOOST_TEST(lengths.send("four") == 4);
  BOOST_TEST(lengths.send(std::string(100, 'x')) == 100);
}

BOOST_AUTO_TEST_CASE(sending_to_a_generator_that_was_not_started_is_an_error) {
  auto counter = countdown(2);
  BOOST_CHECK_THROW(counter.send(1), std::logic_error);
  BOOST_TEST(counter.next() == 2);
}

BOOST_AUTO_TEST_CASE(sending_to_a_generator_that_has_ended_throws_stop_iteration) {
  auto counter = countdown(0);
  BOOST_CHECK_THROW(counter.next(), stop_iteration);
  BOOST_CHECK_THROW(counter.send(1), stop_iteration);
}

BOOST_AUTO_TEST_CASE(a_body_that_ends_on_what_was_sent_throws_stop_iteration_out_of_send) {
  generator<int> once{[](auto& yield) { yield(1); }};
  once.next();
  BOOST_CHECK_THROW(once.send(5), stop_iteration);
}

// --- throw_ ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_exception_thrown_in_is_caught_by_the_yield_that_waits) {
  auto listener = resilient();
  BOOST_TEST(listener.next() == "started");
  BOOST_TEST(listener.throw_(std::runtime_error{"hear this"}) == "hear this");
  BOOST_TEST(listener.next() == "nothing");
  const auto pointer = std::make_exception_ptr(std::runtime_error{"by pointer"});
  BOOST_TEST(listener.throw_(pointer) == "by pointer");
}

BOOST_AUTO_TEST_CASE(an_exception_thrown_in_that_nobody_catches_comes_out_and_ends_it) {
  std::string diary;
  generator<int> body{[&](auto& yield) {
    appends_when_destroyed local{diary, 'x'};
    yield(1);
    yield(2);
  }};
  body.next();
  BOOST_CHECK_THROW(body.throw_(std::out_of_range{"over"}), std::out_of_range);
  BOOST_TEST(diary == "x");
  BOOST_TEST(body.done());
  BOOST_CHECK_THROW(body.next(), stop_iteration);
}

BOOST_AUTO_TEST_CASE(throwing_into_a_generator_that_was_not_started_ends_it_unrun) {
  bool ran = false;
  generator<int> body{[&](auto& yield) {
    ran = true;
    yield(1);
  }};
  BOOST_CHECK_THROW(body.throw_(std::out_of_range{"over"}), std::out_of_range);
  BOOST_TEST(!ran);
  BOOST_TEST(body.done());
  BOOST_CHECK_THROW(body.next(), stop_iteration);
}

BOOST_AUTO_TEST_CASE(to_throw_no_exception_into_a_generator_is_an_error_that_leaves_no_trace) {
  auto counter = countdown(2);
  BOOST_CHECK_THROW(counter.throw_(std::exception_ptr{}), std::invalid_argument);
  BOOST_TEST(counter.next() == 2);
  BOOST_CHECK_THROW(counter.throw_(std::exception_ptr{}), std::invalid_argument);
  BOOST_TEST(counter.next() == 1);
}

BOOST_AUTO_TEST_CASE(throwing_into_a_generator_that_has_ended_throws_right_back) {
  auto counter = countdown(0);
  BOOST_CHECK_THROW(counter.next(), stop_iteration);
  BOOST_CHECK_THROW(counter.throw_(std::out_of_range{"over"}), std::out_of_range);
  BOOST_CHECK_THROW(counter.next(), stop_iteration);
}

BOOST_AUTO_TEST_CASE(a_body_that_ends_on_an_exception_thrown_in_throws_stop_iteration) {
  generator<int> polite{[](auto& yield) {
    try {
      yield(1);
    } catch (const std::runtime_error&) {
    }
  }};
  polite.next();
  BOOST_CHECK_THROW(polite.throw_(std::runtime_error{"please stop"}), stop_iteration);
}

// --- ranges ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_loop_takes_up_where_next_left_off) {
  auto counter = countdown(5);
  counter.next();
  counter.next();
  std::vector<int> rest;
  for (int value : counter) rest.push_back(value);
  BOOST_TEST(rest == (std::vector{3, 2, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_loop_that_breaks_can_be_taken_up_by_another) {
  auto counter = countdown(4);
  for (int value : counter) {
    if (value == 3) break;
  }
  BOOST_TEST(counter.next() == 2);
}

BOOST_AUTO_TEST_CASE(an_ended_generator_is_an_empty_range) {
  auto counter = countdown(0);
  for (int value : counter) BOOST_ERROR("a value: " << value);
  BOOST_TEST((counter.begin() == counter.end()));
}

// Clang before 16 cannot compile libstdc++'s views over a user-defined view.
#if !defined(__clang__) || __clang_major__ >= 16
BOOST_AUTO_TEST_CASE(a_generator_goes_through_views) {
  std::vector<int> seen;
  for (int square : countdown(4) | std::views::transform([](int n) { return n * n; })) {
    seen.push_back(square);
  }
  BOOST_TEST(seen == (std::vector{16, 9, 4, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_first_three_are_taken_of_a_generator_without_end) {
  generator<int> naturals{[](auto& yield) {
    for (int n = 0;; ++n) yield(n);
  }};
  std::vector<int> seen;
  for (int n : std::move(naturals) | std::views::take(3)) seen.push_back(n);
  BOOST_TEST(seen == (std::vector{0, 1, 2}), boost::test_tools::per_element());
}
#endif

// --- values ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(values_that_can_only_be_moved_are_moved) {
  const auto make = [] {
    return generator<std::unique_ptr<int>>{[](auto& yield) {
      auto first = std::make_unique<int>(1);
      yield(std::move(first));
      yield(std::make_unique<int>(2));
    }};
  };
  auto driven = make();
  BOOST_TEST(*driven.next() == 1);
  BOOST_TEST(*driven.next_or(nullptr) == 2);
  BOOST_TEST((driven.next_or(nullptr) == nullptr));
  int sum = 0;
  for (auto& value : make()) sum += *std::move(value);
  BOOST_TEST(sum == 3);
}

BOOST_AUTO_TEST_CASE(references_are_passed_through) {
  std::vector<std::string> words{"a", "b"};
  generator<std::string&> each{[&](auto& yield) {
    for (auto& word : words) yield(word);
  }};
  std::string& first = each.next();
  BOOST_TEST((&first == &words[0]));
  for (auto& word : each) word = "changed";
  BOOST_TEST(words[1] == "changed");
}

BOOST_AUTO_TEST_CASE(constant_references_are_not_copied) {
  const std::string word = "constant";
  generator<const std::string&> each{[&](auto& yield) { yield(word); }};
  BOOST_TEST((&each.next() == &word));
}

BOOST_AUTO_TEST_CASE(a_generator_may_yield_nothing) {
  int steps = 0;
  generator<void> bare{[&](auto& yield) {
    for (; steps < 5; ++steps) yield();
  }};
  bare.next();
  BOOST_TEST(steps == 0);
  bare.next();
  BOOST_TEST(steps == 1);
  int seen = 0;
  for ([[maybe_unused]] auto& nothing : bare) ++seen;
  BOOST_TEST(seen == 3);
  BOOST_CHECK_THROW(bare.next(), stop_iteration);
}

BOOST_AUTO_TEST_CASE(a_generator_that_was_made_of_nothing_has_ended) {
  generator<int, int, int> none;
  BOOST_TEST(none.done());
  BOOST_TEST((none.begin() == none.end()));
  BOOST_TEST(none.next_or(7) == 7);
  BOOST_CHECK_THROW(none.next(), stop_iteration);
  BOOST_CHECK_THROW(none.send(1), stop_iteration);
  BOOST_CHECK_THROW(none.throw_(std::out_of_range{"over"}), std::out_of_range);
  BOOST_CHECK_THROW(none.result(), std::logic_error);
  none.close();
}

BOOST_AUTO_TEST_CASE(a_value_that_is_yielded_as_an_lvalue_stays_with_the_body) {
  std::string kept;
  generator<std::string> body{[&](auto& yield) {
    const std::string constant = "constant";
    std::string variable = "variable";
    yield(constant);
    yield(variable);
    kept = variable;
  }};
  BOOST_TEST(body.next() == "constant");
  BOOST_TEST(body.next() == "variable");
  BOOST_CHECK_THROW(body.next(), stop_iteration);
  BOOST_TEST(kept == "variable");
}

BOOST_AUTO_TEST_CASE(a_generator_moves_while_it_waits) {
  auto counter = countdown(3);
  counter.next();
  auto moved = std::move(counter);
  BOOST_TEST(moved.next() == 2);
  BOOST_TEST(counter.done());
}

// --- in fibers -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_fiber_parks_in_the_body_of_a_generator_that_it_iterates) {
  std::string diary;
  in_task_queue([&](fibers::task_queue& tasks) {
    auto& reader = *tasks.current();
    tasks.spawn("waker", [&] {
      for (int i = 0; i < 3; ++i) {
        diary += 'w';
        tasks.wake(reader);
        tasks.yield();
      }
    });
    generator<int> lines{[&](auto& yield) {
      for (int i = 0; i < 3; ++i) {
        tasks.park();
        yield(i);
      }
    }};
    for (int value : lines) diary += std::to_string(value);
  });
  BOOST_TEST(diary == "w0w1w2");
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_in_the_body_of_a_generator_does_not_see_its_end) {
  bool looked_complete = false;
  std::string diary;
  in_task_queue([&](fibers::task_queue& tasks) {
    auto reader = tasks.spawn("reader", [&] {
      generator<int> lines{[&](auto& yield) {
        appends_when_destroyed local{diary, 'x'};
        yield(1);
        for (;;) tasks.yield();
      }};
      for ([[maybe_unused]] int line : lines) diary += 'l';
      looked_complete = true;
    });
    tasks.yield();
    reader.cancel();
    BOOST_CHECK_THROW(reader.join(), fibers::cancelled);
  });
  BOOST_TEST(diary == "lx");
  BOOST_TEST(!looked_complete);
}

BOOST_AUTO_TEST_CASE(a_parked_fiber_that_is_cancelled_unwinds_the_generator_it_drives) {
  std::string diary;
  in_task_queue([&](fibers::task_queue& tasks) {
    auto reader = tasks.spawn("reader", [&] {
      generator<int> numbers{[&](auto& yield) {
        appends_when_destroyed local{diary, 'g'};
        for (;;) yield(1);
      }};
      numbers.next();
      appends_when_destroyed local{diary, 'f'};
      for (;;) tasks.yield();
    });
    tasks.yield();
    reader.cancel();
    BOOST_CHECK_THROW(reader.join(), fibers::cancelled);
  });
  BOOST_TEST(diary == "fg");
}

BOOST_AUTO_TEST_CASE(a_generator_that_has_ended_can_be_moved_and_assigned) {
  generator<int> nothing;
  generator<int> moved{std::move(nothing)};
  BOOST_TEST(moved.done());
  moved = countdown(2);
  BOOST_TEST(moved.next() == 2);
  moved = generator<int>{};
  BOOST_TEST(moved.done());
}

BOOST_AUTO_TEST_CASE(the_end_says_what_it_is) {
  generator<int> nothing;
  BOOST_CHECK_EXCEPTION(nothing.next(), stop_iteration, [](const stop_iteration& end) {
    return std::string{end.what()} == "the generator has ended";
  });
}
