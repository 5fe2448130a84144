// yield.from() passes values, sends, exceptions and close() between the caller and an inner
// generator.
#include <fibers/generator.hpp>

#include <tests/fibers/appends_when_destroyed.hpp>
#include <tests/fibers/generators.hpp>

#include <boost/test/unit_test.hpp>
#include <list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using fibers::generator;
using fibers::stop_iteration;

BOOST_AUTO_TEST_CASE(delegation_yields_all_of_the_inner_generator_and_gives_its_result) {
  std::string result;
  generator<int> outer{[&](auto& yield) {
    yield(0);
    result = yield.from(generator<int, int, std::string>{[](auto& inner) {
      inner(1);
      inner(2);
      return std::string{"inner is done"};
    }});
    yield(3);
  }};
  std::vector<int> all;
  for (int value : outer) all.push_back(value);
  BOOST_TEST(all == (std::vector{0, 1, 2, 3}), boost::test_tools::per_element());
  BOOST_TEST(result == "inner is done");
}

BOOST_AUTO_TEST_CASE(delegation_passes_on_what_is_sent) {
  std::vector<int> heard;
  generator<int> outer{[&](auto& yield) {
    yield.from(generator<int>{[&](auto& inner) {
      for (int i = 0; i < 3; ++i) heard.push_back(inner(i).value_or(-1));
    }});
  }};
  outer.next();
  outer.send(10);
  outer.next();
  BOOST_CHECK_THROW(outer.send(30), stop_iteration);
  BOOST_TEST(heard == (std::vector{10, -1, 30}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(delegation_passes_on_what_is_thrown) {
  generator<std::string> outer{[](auto& yield) { yield.from(resilient()); }};
  outer.next();
  BOOST_TEST(outer.throw_(std::runtime_error{"through"}) == "through");
  BOOST_TEST(outer.next() == "nothing");
}

BOOST_AUTO_TEST_CASE(what_the_inner_generator_throws_reaches_the_outer_body) {
  generator<int> outer{[](auto& yield) {
    try {
      yield.from(countdown(3));
    } catch (const std::out_of_range&) {
      yield(-1);
    }
  }};
  BOOST_TEST(outer.next() == 3);
  BOOST_TEST(outer.throw_(std::out_of_range{"over"}) == -1);
}

BOOST_AUTO_TEST_CASE(closing_the_outer_generator_closes_the_inner_one_first) {
  std::string diary;
  auto inner = generator<int>{[&](auto& yield) {
    appends_when_destroyed local{diary, 'i'};
    yield(1);
  }};
  generator<int> outer{[&](auto& yield) {
    appends_when_destroyed local{diary, 'o'};
    yield.from(inner);
  }};
  outer.next();
  outer.close();
  BOOST_TEST(diary == "io");
  BOOST_TEST(inner.done());
}

BOOST_AUTO_TEST_CASE(delegation_to_a_started_generator_takes_up_where_it_is) {
  auto inner = countdown(3);
  inner.next();
  generator<int> outer{[&](auto& yield) { yield.from(inner); }};
  BOOST_TEST(outer.next() == 2);
  BOOST_TEST(outer.next() == 1);
  BOOST_CHECK_THROW(outer.next(), stop_iteration);
}

BOOST_AUTO_TEST_CASE(delegation_goes_down_many_levels) {
  struct nest {
    static generator<int> of(int depth) {
      return {[depth](auto& yield) {
        yield(depth);
        if (depth > 0) yield.from(of(depth - 1));
      }};
    }
  };
  int expected = 50;
  for (int value : nest::of(50)) BOOST_REQUIRE(value == expected--);
  BOOST_TEST(expected == -1);
}

// Python gives None where a result was taken; no type here has such a value.
BOOST_AUTO_TEST_CASE(delegation_to_a_generator_that_has_ended_gives_its_result_once) {
  generator<int, int, std::string> inner{[](auto& yield) {
    yield(1);
    return std::string{"result"};
  }};
  inner.next();
  BOOST_CHECK_THROW(inner.next(), stop_iteration);
  std::string result;
  bool told = false;
  generator<int> outer{[&](auto& yield) {
    result = yield.from(inner);
    try {
      yield.from(inner);
    } catch (const std::logic_error&) {
      told = true;
    }
  }};
  BOOST_CHECK_THROW(outer.next(), stop_iteration);
  BOOST_TEST(result == "result");
  BOOST_TEST(told);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_sent_while_a_range_is_delegated_to_is_an_error) {
  generator<int> outer{[](auto& yield) { yield.from(std::vector{1, 2, 3}); }};
  BOOST_TEST(outer.next() == 1);
  BOOST_TEST(outer.next() == 2);
  BOOST_CHECK_THROW(outer.send(10), std::logic_error);
  BOOST_TEST(outer.done());
}

BOOST_AUTO_TEST_CASE(the_elements_of_a_container_that_is_given_away_are_moved) {
  generator<std::unique_ptr<int>> pointers{[](auto& yield) {
    std::vector<std::unique_ptr<int>> held;
    for (int i = 1; i <= 3; ++i) held.push_back(std::make_unique<int>(i));
    yield.from(std::move(held));
  }};
  int expected = 0;
  for (const auto& pointer : pointers) BOOST_TEST(*pointer == ++expected);
  BOOST_TEST(expected == 3);

  std::vector<std::string> kept{"a", "b"};
  generator<std::string> strings{[&](auto& yield) {
    yield.from(kept);
    yield.from(std::span{kept});
  }};
  for (auto& text : strings) text.clear();
  BOOST_TEST(kept == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_range_is_delegated_to_as_well) {
  generator<int> outer{[](auto& yield) {
    yield.from(std::vector{1, 2, 3});
    yield.from(std::list{4, 5});
  }};
  int expected = 0;
  for (int value : outer) BOOST_TEST(value == ++expected);
  BOOST_TEST(expected == 5);
}
