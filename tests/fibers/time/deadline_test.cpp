// Deadlines in any unit and on any clock, for every call by which fibers wait for each other.
#include <fibers/channel.hpp>
#include <fibers/condition_variable.hpp>
#include <fibers/nursery.hpp>
#include <fibers/semaphore.hpp>
#include <fibers/wait_group.hpp>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <limits>
#include <mutex>
#include <utility>

#include <tests/fibers/fiber_worlds.hpp>

using fibers::channel_status;
using fibers::deadline_at;
using fibers::never;
using fibers::saturating_cast;
using fibers::task_queue;
using std::chrono::hours;
using std::chrono::system_clock;

namespace {

using float_seconds = std::chrono::duration<double>;
constexpr float_seconds for_ever{std::numeric_limits<double>::infinity()};

// A locked mutex, a full and an empty channel, unfinished work and so on: every wait times out.
struct unavailable {
  explicit unavailable(task_queue& tasks)
      : parked{tasks.spawn("parked", [&tasks] { tasks.park(); })} {
    numbers.push(1);
    work.add();
    group.spawn([&tasks] { tasks.park(); });
  }
  ~unavailable() { parked.cancel(); }

  fibers::mutex door;
  std::unique_lock<fibers::mutex> lock{door};
  fibers::condition_variable changed;
  fibers::semaphore permits{0};
  fibers::channel<int> numbers{1};
  fibers::channel<int> empty;
  fibers::wait_group work;
  fibers::nursery group;
  fibers::fiber_handle<void> parked;
};

template <class Duration>
void wait_in_vain_for(task_queue& tasks, unavailable& all, Duration time) {
  const auto never_happens = [] { return false; };
  BOOST_TEST(!tasks.spawn("", [&] { return all.door.try_lock_for(time); }).join());
  BOOST_TEST((all.changed.wait_for(all.lock, time) == std::cv_status::timeout));
  BOOST_TEST(!all.changed.wait_for(all.lock, time, never_happens));
  BOOST_TEST(!all.permits.try_acquire_for(time));
  BOOST_TEST((all.numbers.push_for(2, time) == channel_status::timeout));
  BOOST_TEST((all.empty.pop_for(time).status() == channel_status::timeout));
  BOOST_TEST(!all.work.wait_for(time));
  BOOST_TEST(!all.group.join_for(time));
  BOOST_TEST(!all.parked.wait_for(time));
}

template <class Moment>
void wait_in_vain_until(task_queue& tasks, unavailable& all, Moment moment) {
  const auto never_happens = [] { return false; };
  BOOST_TEST(!tasks.spawn("", [&] { return all.door.try_lock_until(moment()); }).join());
  BOOST_TEST((all.changed.wait_until(all.lock, moment()) == std::cv_status::timeout));
  BOOST_TEST(!all.changed.wait_until(all.lock, moment(), never_happens));
  BOOST_TEST(!all.permits.try_acquire_until(moment()));
  BOOST_TEST((all.numbers.push_until(2, moment()) == channel_status::timeout));
  BOOST_TEST((all.empty.pop_until(moment()).status() == channel_status::timeout));
  BOOST_TEST(!all.work.wait_until(moment()));
  BOOST_TEST(!all.group.join_until(moment()));
  BOOST_TEST(!all.parked.wait_until(moment()));
}

constexpr int calls = 9;  // made by each of the two functions above

}  // namespace

BOOST_AUTO_TEST_SUITE(deadlines)

BOOST_AUTO_TEST_CASE(a_duration_of_any_unit_is_rounded_up_and_saturates) {
  BOOST_TEST((saturating_cast(2h) == 2h));
  BOOST_TEST((saturating_cast(float_seconds{0.25}) == 250ms));
  BOOST_TEST((saturating_cast(std::chrono::duration<int, std::pico>{1}) == 1ns));
  BOOST_TEST((saturating_cast(std::chrono::duration<int, std::pico>{-1}) == 0ns));
  for (const auto& longest : {saturating_cast(hours::max()), saturating_cast(for_ever),
                              saturating_cast(fibers::clock::duration::max())}) {
    BOOST_TEST((longest == fibers::clock::duration::max()));
  }
  BOOST_TEST((saturating_cast(hours::min()) <= -fibers::clock::duration::max()));
  BOOST_TEST((saturating_cast(-for_ever) <= -fibers::clock::duration::max()));
  BOOST_TEST((saturating_cast(float_seconds{std::numeric_limits<double>::quiet_NaN()}) ==
              fibers::clock::duration::max()));
}

BOOST_AUTO_TEST_CASE(a_moment_of_another_clock_is_converted_by_its_distance_from_now) {
  const auto begin = fibers::clock::now();
  const auto soon = deadline_at(system_clock::now() + 1h);
  BOOST_TEST((soon - begin > 59min && soon - begin < 61min));
  BOOST_TEST((deadline_at(system_clock::now() - 10s) < fibers::clock::now()));
  BOOST_TEST((deadline_at(system_clock::time_point::min()) < fibers::clock::now()));
  BOOST_TEST((deadline_at(system_clock::time_point::max()) == never));
  using hours_of_system_clock = std::chrono::time_point<system_clock, hours>;
  BOOST_TEST((deadline_at(hours_of_system_clock::max()) == never));
  BOOST_TEST((deadline_at(hours_of_system_clock::max() - 1h) == never));
  BOOST_TEST((deadline_at(fibers::clock::time_point::max()) == never));
  BOOST_TEST((deadline_at(std::chrono::time_point<fibers::clock, hours>::max()) == never));
}

BOOST_AUTO_TEST_CASE(every_wait_takes_any_unit) {
  in_timed_queue([](task_queue& tasks) {
    unavailable all{tasks};
    const auto begin = fibers::clock::now();
    wait_in_vain_for(tasks, all, float_seconds{0.001});
    BOOST_TEST((fibers::clock::now() - begin >= calls * 1ms));
    wait_in_vain_for(tasks, all, std::chrono::duration<float, std::nano>{0.5F});
    wait_in_vain_for(tasks, all, hours::min());
  });
}

BOOST_AUTO_TEST_CASE(every_wait_takes_a_moment_of_any_clock) {
  in_timed_queue([](task_queue& tasks) {
    unavailable all{tasks};
    wait_in_vain_until(tasks, all, [] { return fibers::clock::now() + float_seconds{0.001}; });
    wait_in_vain_until(tasks, all, [] { return system_clock::now() + 1ms; });
    wait_in_vain_until(tasks, all, [] { return system_clock::time_point::min(); });
  });
}

BOOST_AUTO_TEST_CASE(the_longest_durations_do_not_pass) {
  in_timed_queue([](task_queue& tasks) {
    fibers::channel<int> numbers;
    const auto pops = [&](auto time) {
      auto popper = tasks.spawn("popper", [&] { return *numbers.pop_for(time); });
      sleep_for(tasks, 1ms);
      numbers.push(1);
      BOOST_TEST(popper.join() == 1);
    };
    pops(hours::max());
    pops(fibers::clock::duration::max());
    pops(for_ever);
    auto popper =
        tasks.spawn("popper", [&] { return *numbers.pop_until(system_clock::time_point::max()); });
    sleep_for(tasks, 1ms);
    numbers.push(2);
    BOOST_TEST(popper.join() == 2);
  });
}

// A clock whose present is long before its epoch.
struct old_clock {
  using duration = fibers::clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<old_clock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept { return time_point{duration::min() / 2 - duration{2}}; }
};

BOOST_AUTO_TEST_CASE(a_moment_further_away_than_can_be_said_is_never) {
  constexpr auto latest = old_clock::duration::max();
  const old_clock::time_point far{latest / 2 + old_clock::duration{2}};
  BOOST_TEST((deadline_at(far) == never));
  BOOST_TEST((deadline_at(old_clock::now() + 1h) < fibers::clock::now() + 2h));
}

BOOST_AUTO_TEST_CASE(a_limit_that_is_moved_to_itself_stays_as_it_is) {
  in_timed_queue([](task_queue& tasks) {
    fibers::time_limit limit;
    limit.after(1ms, tasks.timers());
    auto& same = limit;
    limit = std::move(same);
    while (!limit.passed()) limit.park(tasks);
    limit = std::move(same);
    BOOST_TEST(limit.passed());
  });
}

BOOST_AUTO_TEST_CASE(a_limit_that_is_set_for_another_queue_leaves_the_first_one) {
  fibers::timer_queue first, second;
  fibers::time_limit limit;
  limit.after(1h, first);
  limit.after(1h, second);
  BOOST_TEST(first.empty());
  BOOST_TEST(second.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_woken_for_nothing_waits_on_until_the_deadline) {
  in_timed_queue([](task_queue& tasks) {
    fibers::semaphore permits{0};
    const auto begin = fibers::clock::now();
    auto waits = tasks.spawn("waits", [&] { return permits.try_acquire_for(5ms); });
    tasks.yield();
    tasks.wake(waits.record());
    BOOST_TEST(!waits.join());
    BOOST_TEST((fibers::clock::now() - begin >= 5ms));
  });
}

BOOST_AUTO_TEST_SUITE_END()
