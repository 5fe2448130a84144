// The search finds the highest rate that holds, on servers that exist only as a formula.
#include <bench/load/find_rate.hpp>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

using bench::rate_limiter;
using bench::rate_search;
using bench::rate_step;

namespace {

constexpr double limit_ns = 2e6;

// A queue: the closer the rate comes to what the server can do, the longer it takes.
struct fake_server {
  double capacity = 100'000;
  double base_ns = 100e3;
  double client_capacity = std::numeric_limits<double>::infinity();
  // What the time is multiplied by; noise.
  std::function<double()> factor = [] { return 1.0; };

  rate_step at(double rate, double seconds) const {
    const double most = std::min(capacity, client_capacity);
    rate_step step{.rate_per_second = rate, .answered_per_second = std::min(rate, most)};
    step.saturated = rate > most;
    step.client_is_the_limit = rate > client_capacity;
    step.measured = step.saturated ? std::numeric_limits<double>::infinity()
                                   : base_ns / (1 - rate / most) * factor();
    step.holds = step.measured < limit_ns && !step.saturated;
    step.seconds = seconds;
    return step;
  }

  // The rate at which the limit is reached, without noise.
  double right_rate() const { return capacity * (1 - base_ns / limit_ns); }
};

double used_by(const rate_search& search) {
  double sum = 0;
  for (const auto& each : search.steps()) sum += each.seconds;
  return sum;
}

rate_search searched(const fake_server& server, rate_search::settings wanted = {}) {
  rate_search search{wanted};
  while (const auto rate = search.next()) {
    search.add(server.at(*rate, search.step_seconds(*rate)));
    BOOST_REQUIRE(search.steps().size() < 1000);
  }
  BOOST_TEST(used_by(search) <= wanted.seconds * 1.01);
  return search;
}

// The votes for a rate: how often it held, less how often it failed.
int balance_at(const rate_search& search, double rate) {
  int balance = 0;
  for (const auto& each : search.steps())
    if (each.rate_per_second == rate) balance += each.holds ? 1 : -1;
  return balance;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_right_rate_is_found_wherever_the_search_begins) {
  const fake_server server;
  for (const double first : {1.0, 700.0, 25'000.0, 94'000.0, 96'000.0, 5e6}) {
    const auto search =
        searched(server, {.seconds = 60, .first_rate = first, .least_step = 0.5, .most_step = 0.5});
    BOOST_TEST_CONTEXT("from " << first) {
      BOOST_REQUIRE(search.best().has_value());
      BOOST_TEST(*search.best() <= server.right_rate());
      BOOST_TEST(*search.best() > server.right_rate() * 0.97);
      BOOST_TEST(*search.lowest_failing() > server.right_rate());
      BOOST_TEST(search.is_precise());
    }
  }
}

BOOST_AUTO_TEST_CASE(noise_does_not_lead_far_from_the_right_rate) {
  std::minstd_rand random{1};
  int near = 0;
  constexpr int searches = 200;
  for (int i = 0; i < searches; ++i) {
    fake_server server;
    // A tenth of the steps is hit by a hiccup, the others vary by 10 %.
    server.factor = [&random] {
      if (std::uniform_int_distribution{1, 10}(random) == 1) return 30.0;
      return std::uniform_real_distribution{0.9, 1.1}(random);
    };
    const auto search = searched(server, {.seconds = 30, .first_rate = 25'000});
    if (!search.best()) continue;
    BOOST_TEST(balance_at(search, *search.best()) >= 1);
    BOOST_TEST(*search.best() < server.right_rate() * 1.01);
    near += *search.best() > server.right_rate() * 0.9 ? 1 : 0;
  }
  BOOST_TEST(near > searches * 8 / 10);
}

BOOST_AUTO_TEST_CASE(a_rate_counts_only_once_it_held_twice) {
  rate_search search{{.seconds = 30, .first_rate = 1000}};
  BOOST_TEST(*search.next() == 1000);
  search.add({.rate_per_second = 1000, .holds = true});
  BOOST_TEST(!search.best().has_value());
  BOOST_TEST(*search.next() == 2000);
  search.add({.rate_per_second = 2000, .holds = false});
  BOOST_TEST(*search.next() == 2000);  // one failure proves nothing either
  search.add({.rate_per_second = 2000, .holds = false});
  BOOST_TEST(*search.next() == 1000);  // before the search builds on it
  search.add({.rate_per_second = 1000, .holds = true});
  BOOST_TEST(*search.best() == 1000);
}

BOOST_AUTO_TEST_CASE(steps_that_contradict_each_other_are_repeated_until_two_agree) {
  rate_search search{{.seconds = 30, .first_rate = 1000}};
  search.add({.rate_per_second = 1000, .holds = true});
  search.add({.rate_per_second = 2000, .holds = false});
  search.add({.rate_per_second = 2000, .holds = true});
  BOOST_TEST(*search.next() == 2000);
  search.add({.rate_per_second = 2000, .holds = true});
  BOOST_TEST(*search.best() == 2000);
  BOOST_TEST(*search.next() == 4000);
}

BOOST_AUTO_TEST_CASE(a_limit_that_no_rate_meets_is_found_to_hold_nowhere) {
  fake_server slow;
  slow.base_ns = 2 * limit_ns;
  const auto search = searched(slow, {.seconds = 100, .first_rate = 25'000});
  BOOST_TEST(!search.best().has_value());
  BOOST_TEST(!search.is_precise());
  BOOST_TEST((search.limited_by() == rate_limiter::latency));
  BOOST_TEST(search.steps().back().rate_per_second < 10'000);
}

BOOST_AUTO_TEST_CASE(what_limited_the_rate_is_said) {
  fake_server sudden;  // quick until it is saturated
  sudden.base_ns = 1;
  BOOST_TEST((searched(sudden).limited_by() == rate_limiter::server));
  BOOST_TEST((searched(fake_server{}).limited_by() == rate_limiter::latency));
  fake_server fast = sudden;
  fast.client_capacity = 50'000;
  BOOST_TEST((searched(fast).limited_by() == rate_limiter::client));
  BOOST_TEST(*searched(fast).best() <= 50'000);
}

BOOST_AUTO_TEST_CASE(a_server_without_limits_is_tried_up_to_the_highest_rate) {
  fake_server endless;
  endless.capacity = 1e12;
  const auto search =
      searched(endless, {.seconds = 60, .first_rate = 1e5, .highest_rate = 3e5, .most_step = 1});
  BOOST_TEST(*search.best() == 3e5);
  BOOST_TEST((search.limited_by() == rate_limiter::none_met));
  BOOST_TEST(!search.is_precise());
}

BOOST_AUTO_TEST_CASE(a_search_ends_in_its_time_however_long_the_steps_take) {
  rate_search search{{.seconds = 10}};
  int steps = 0;
  while (const auto rate = search.next()) {
    auto step = fake_server{}.at(*rate, search.step_seconds(*rate) + 2);  // late replies
    search.add(step);
    ++steps;
  }
  BOOST_TEST(steps <= 5);
  BOOST_TEST(rate_search{{.seconds = 0.01}}.next().has_value() == false);
}

BOOST_AUTO_TEST_CASE(a_step_that_changes_its_mind_forever_does_not_keep_the_search) {
  std::minstd_rand random{7};
  rate_search search{{.seconds = 1e9, .least_step = 1, .most_step = 1}};
  int steps = 0;
  while (const auto rate = search.next()) {
    search.add({.rate_per_second = *rate, .holds = random() % 2 == 0, .seconds = 1});
    BOOST_REQUIRE(++steps < 10'000);
  }
  BOOST_TEST(steps > 2);
}

BOOST_AUTO_TEST_CASE(a_step_lasts_until_it_has_messages_enough_to_tell) {
  rate_search search{{.seconds = 24, .first_rate = 100, .least_messages = 1000}};
  BOOST_TEST(search.step_seconds(10'000) == 1);
  BOOST_TEST(search.step_seconds(100) == 10);
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(search.next().has_value());
    search.add({.rate_per_second = 100, .holds = i == 0, .seconds = 10});
  }
  BOOST_TEST(!search.next().has_value());  // there is no time for a third such step
  BOOST_TEST(search.cannot_tell());
}

BOOST_AUTO_TEST_CASE(a_server_that_is_slow_and_good_is_not_said_to_hold_nowhere) {
  const fake_server slow{.capacity = 17, .base_ns = 120e6};
  const auto search = searched(slow, {.seconds = 2, .first_rate = 4, .least_messages = 1000});
  BOOST_TEST(search.steps().empty());
  BOOST_TEST(search.cannot_tell());
}
