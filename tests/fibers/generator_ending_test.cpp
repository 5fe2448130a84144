// How generators end: the locals of the body are destroyed, and no error looks like a normal end.
#include <fibers/generator.hpp>

#include <tests/fibers/appends_when_destroyed.hpp>
#include <tests/fibers/generators.hpp>

#include <boost/test/unit_test.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using fibers::generator;
using fibers::generator_exit;
using fibers::stop_iteration;

namespace {

template <class Error>
auto says(std::string text) {
  return [text](const Error& error) { return error.what() == text; };
}

}  // namespace

// --- close -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(close_throws_generator_exit_out_of_the_yield_that_waits) {
  std::string diary;
  generator<int> body{[&](auto& yield) {
    appends_when_destroyed local{diary, '2'};
    try {
      yield(1);
    } catch (const generator_exit&) {
      diary += '1';
      throw;
    }
  }};
  body.next();
  body.close();
  BOOST_TEST(diary == "12");
  BOOST_TEST(body.done());
  body.close();
  BOOST_CHECK_THROW(body.next(), stop_iteration);
}

BOOST_AUTO_TEST_CASE(a_body_may_end_quietly_when_it_is_closed) {
  generator<int> body{[](auto& yield) {
    try {
      yield(1);
    } catch (const generator_exit&) {
    }
  }};
  body.next();
  body.close();
  BOOST_TEST(body.done());
}

BOOST_AUTO_TEST_CASE(a_body_that_yields_instead_of_closing_is_an_error) {
  auto stubborn = generator<int>{[](auto& yield) {
    for (;;) {
      try {
        yield(1);
      } catch (const generator_exit&) {
      }
    }
  }};
  stubborn.next();
  BOOST_CHECK_EXCEPTION(stubborn.close(), std::runtime_error,
                        says<std::runtime_error>("the generator ignored generator_exit"));
}

BOOST_AUTO_TEST_CASE(what_a_body_throws_while_it_is_closed_comes_out_of_close) {
  generator<int> body{[](auto& yield) {
    try {
      yield(1);
    } catch (const generator_exit&) {
      throw std::out_of_range{"while closing"};
    }
  }};
  body.next();
  BOOST_CHECK_THROW(body.close(), std::out_of_range);
  BOOST_TEST(body.done());
}

BOOST_AUTO_TEST_CASE(closing_what_was_not_started_ends_it_unrun) {
  bool ran = false;
  generator<int> body{[&](auto&) { ran = true; }};
  body.close();
  BOOST_TEST(body.done());
  BOOST_CHECK_THROW(body.next(), stop_iteration);
  BOOST_TEST(!ran);
}

// --- the end ---------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_the_body_returns_can_be_taken_once) {
  generator<int, int, std::unique_ptr<int>> body{[](auto& yield) {
    yield(1);
    return std::make_unique<int>(42);
  }};
  BOOST_CHECK_THROW(body.result(), std::logic_error);
  body.next();
  BOOST_CHECK_THROW(body.next(), stop_iteration);
  BOOST_TEST(*body.result() == 42);
  BOOST_CHECK_THROW(body.result(), std::logic_error);
}

BOOST_AUTO_TEST_CASE(a_body_may_return_a_reference) {
  int answer = 0;
  generator<int, int, int&> body{[&](auto& yield) -> int& {
    yield(1);
    return answer;
  }};
  body.next();
  BOOST_CHECK_THROW(body.next(), stop_iteration);
  body.result() = 42;
  BOOST_TEST(answer == 42);
  BOOST_CHECK_THROW(body.result(), std::logic_error);
}

BOOST_AUTO_TEST_CASE(a_body_that_ends_by_an_exception_has_no_result) {
  generator<int, int, int> body{[](auto& yield) -> int {
    yield(1);
    throw std::out_of_range{"over"};
  }};
  body.next();
  BOOST_CHECK_THROW(body.next(), std::out_of_range);
  BOOST_CHECK_THROW(body.result(), std::logic_error);
}

BOOST_AUTO_TEST_CASE(a_stop_iteration_that_leaves_the_body_does_not_look_like_its_end) {
  auto exhausted = countdown(0);
  generator<int> careless{[&](auto& yield) {
    yield(1);
    yield(exhausted.next());
  }};
  careless.next();
  try {
    careless.next();
    BOOST_ERROR("it must throw");
  } catch (const stop_iteration&) {
    BOOST_ERROR("it looks like a quiet end");
  } catch (const std::runtime_error& error) {
    BOOST_TEST(error.what() == std::string{"the generator raised stop_iteration"});
    BOOST_CHECK_THROW(std::rethrow_if_nested(error), stop_iteration);
  }
}

BOOST_AUTO_TEST_CASE(a_stop_iteration_while_closing_does_not_look_like_its_end_either) {
  generator<int> careless{[&](auto& yield) {
    try {
      yield(1);
    } catch (const generator_exit&) {
      throw stop_iteration{};
    }
  }};
  careless.next();
  BOOST_CHECK_THROW(careless.close(), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_stop_iteration_thrown_into_an_unstarted_one_does_not_look_like_its_end) {
  auto counter = countdown(1);
  try {
    counter.throw_(stop_iteration{});
    BOOST_ERROR("it must throw");
  } catch (const std::runtime_error& error) {
    BOOST_CHECK_THROW(std::rethrow_if_nested(error), stop_iteration);
  }
  BOOST_TEST(counter.done());
  BOOST_CHECK_THROW(counter.throw_(stop_iteration{}), stop_iteration);
}

BOOST_AUTO_TEST_CASE(an_exception_before_the_first_yield_comes_out_of_next_and_begin) {
  const auto make = [] {
    return generator<int>{[](auto& yield) {
      throw std::out_of_range{"early"};
      yield(1);
    }};
  };
  auto by_next = make();
  BOOST_CHECK_THROW(by_next.next(), std::out_of_range);
  BOOST_CHECK_THROW(by_next.next(), stop_iteration);
  auto by_begin = make();
  BOOST_CHECK_THROW(by_begin.begin(), std::out_of_range);
  BOOST_TEST((by_begin.begin() == by_begin.end()));
}

BOOST_AUTO_TEST_CASE(an_exception_midway_comes_out_of_next_and_of_increment) {
  const auto make = [] {
    return generator<int>{[](auto& yield) {
      yield(1);
      throw std::out_of_range{"midway"};
      yield(2);
    }};
  };
  auto by_next = make();
  BOOST_TEST(by_next.next() == 1);
  BOOST_CHECK_THROW(by_next.next(), std::out_of_range);
  BOOST_TEST(by_next.done());
  auto by_increment = make();
  auto at = by_increment.begin();
  BOOST_TEST(*at == 1);
  BOOST_CHECK_THROW(++at, std::out_of_range);
  BOOST_TEST((at == by_increment.end()));
}

BOOST_AUTO_TEST_CASE(an_exception_after_the_last_yield_comes_out_instead_of_the_end) {
  const auto make = [] {
    return generator<int>{[](auto& yield) {
      yield(1);
      throw std::out_of_range{"late"};
    }};
  };
  auto by_next = make();
  by_next.next();
  BOOST_CHECK_THROW(by_next.next(), std::out_of_range);
  BOOST_CHECK_THROW(by_next.next(), stop_iteration);
  std::vector<int> seen;
  auto by_loop = make();
  BOOST_CHECK_THROW(for (int value : by_loop) seen.push_back(value), std::out_of_range);
  BOOST_TEST(seen == std::vector{1}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_generator_dropped_halfway_is_unwound) {
  std::string diary;
  {
    generator<int> body{[&](auto& yield) {
      appends_when_destroyed first{diary, '2'};
      appends_when_destroyed second{diary, '1'};
      yield(1);
      diary += "never";
    }};
    body.next();
  }
  BOOST_TEST(diary == "12");
}

BOOST_AUTO_TEST_CASE(a_generator_that_is_dropped_or_assigned_to_is_closed) {
  int closed = 0;
  const auto make = [&] {
    return generator<int>{[&](auto& yield) {
      try {
        yield(1);
      } catch (const generator_exit&) {
        ++closed;
        throw std::out_of_range{"while it is dropped"};
      }
    }};
  };
  {
    auto body = make();
    body.next();
  }
  BOOST_TEST(closed == 1);
  auto body = make();
  body.next();
  body = make();
  BOOST_TEST(closed == 2);
  body = countdown(1);  // the one from before was not started
  BOOST_TEST(closed == 2);
}

BOOST_AUTO_TEST_CASE(a_generator_that_is_dropped_by_an_exception_is_closed) {
  bool closed = false;
  const auto drop = [&] {
    generator<int> body{[&](auto& yield) {
      try {
        yield(1);
      } catch (const generator_exit&) {
        closed = true;
      }
    }};
    body.next();
    throw std::out_of_range{"over"};
  };
  BOOST_CHECK_THROW(drop(), std::out_of_range);
  BOOST_TEST(closed);
}

BOOST_AUTO_TEST_CASE(a_generator_that_is_dropped_while_it_delegates_closes_the_inner_one) {
  bool closed = false;
  generator<int> inner{[&](auto& yield) {
    try {
      yield(1);
    } catch (const generator_exit&) {
      closed = true;
      throw;
    }
  }};
  {
    generator<int> outer{[&](auto& yield) { yield.from(inner); }};
    outer.next();
  }
  BOOST_TEST(closed);
  BOOST_TEST(inner.done());
}

BOOST_AUTO_TEST_CASE(a_dropped_body_that_yields_again_is_unwound_all_the_same) {
  bool told_otherwise = false;
  std::optional<generator<int>> numbers;
  numbers.emplace([&](auto& yield) {
    while (!told_otherwise) {
      try {
        try {
          yield(1);
        } catch (...) {
          yield(2);
          throw;
        }
      } catch (const std::exception&) {
        told_otherwise = true;  // or the loop would never end
      }
    }
  });
  numbers->next();
  numbers.reset();
  BOOST_TEST(!told_otherwise);
}

BOOST_AUTO_TEST_CASE(a_generator_dropped_while_delegating_unwinds_from_the_inside) {
  std::string diary;
  {
    generator<int> outer{[&](auto& yield) {
      appends_when_destroyed local{diary, 'o'};
      yield.from(generator<int>{[&](auto& inner) {
        appends_when_destroyed inner_local{diary, 'i'};
        inner(1);
      }});
    }};
    outer.next();
  }
  BOOST_TEST(diary == "io");
}

BOOST_AUTO_TEST_CASE(a_generator_that_was_never_started_never_runs) {
  bool ran = false;
  {
    generator<int> body{[&](auto&) { ran = true; }};
  }
  BOOST_TEST(!ran);
}

BOOST_AUTO_TEST_CASE(a_generator_that_is_assigned_to_unwinds_what_it_was) {
  std::string diary;
  generator<int> body{[&](auto& yield) {
    appends_when_destroyed local{diary, 'x'};
    yield(1);
  }};
  body.next();
  body = countdown(1);
  BOOST_TEST(diary == "x");
  BOOST_TEST(body.next() == 1);
}

BOOST_AUTO_TEST_CASE(a_dropped_body_that_delegates_again_is_unwound_with_the_inner_one) {
  std::string order;
  {
    generator<int> outer{[&](auto& yield) {
      const appends_when_destroyed guard{order, 'o'};
      try {
        yield(1);
      } catch (const fibers::generator_exit&) {
      }
      auto inner = countdown(3);
      yield.from(inner);
      order += "never";
    }};
    outer.next();
  }
  BOOST_TEST(order == "o");
}
