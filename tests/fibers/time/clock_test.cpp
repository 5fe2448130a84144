#include <fibers/time/clock.hpp>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <optional>
#include <thread>

using namespace std::chrono_literals;
using std::chrono::steady_clock;

static_assert(std::chrono::is_clock_v<fibers::clock>);

BOOST_AUTO_TEST_SUITE(the_clock)

BOOST_AUTO_TEST_CASE(it_is_the_steady_clock) {
  const auto before = steady_clock::now();
  const auto now = fibers::clock::now();
  BOOST_TEST((before <= now && now <= steady_clock::now()));
}

BOOST_AUTO_TEST_CASE(a_virtual_clock_replaces_it) {
  fibers::clock::time_point time{1h};
  {
    const fibers::virtual_clock in_force{time};
    BOOST_TEST((fibers::clock::now() == time));
    BOOST_TEST((fibers::coarse_now() == time));
    time += 24h;
    BOOST_TEST((fibers::clock::now().time_since_epoch() == 25h));
  }
  BOOST_TEST((fibers::clock::now() - steady_clock::now() < 1h));
  BOOST_TEST((fibers::coarse_now() <= steady_clock::now()));
}

BOOST_AUTO_TEST_CASE(other_threads_keep_the_real_time) {
  const fibers::clock::time_point time = steady_clock::now() + 24h;
  const fibers::virtual_clock in_force{time};
  std::thread other{[&] { BOOST_TEST((fibers::clock::now() < time)); }};
  other.join();
}

BOOST_AUTO_TEST_CASE(the_last_constructed_one_counts) {
  const fibers::clock::time_point one{1h}, two{2h}, three{3h};
  std::optional<fibers::virtual_clock> first{one}, second{two}, third{three};
  second.reset();
  BOOST_TEST((fibers::clock::now() == three));
  third.reset();
  BOOST_TEST((fibers::clock::now() == one));
}

BOOST_AUTO_TEST_SUITE_END()
