#include <fibers/channel.hpp>
#include <fibers/local.hpp>
#include <fibers/mutex.hpp>
#include <fibers/nursery.hpp>
#include <fibers/test.hpp>

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <tests/fibers/forked.hpp>
#include <tests/fibers/raw_socket.hpp>

using namespace std::chrono_literals;
using boost::asio::buffer;
using fibers::error_code;
using fibers::test::simulation;
namespace this_fiber = fibers::this_fiber;
namespace error = boost::asio::error;

namespace {

// Reads to the end, 10 bytes at a time, and notes under its name how many each read has brought.
void read_all(fibers::tcp::stream& from, const std::string& name, std::string& diary) {
  std::array<char, 10> some;
  error_code failed;
  while (const auto count = from.read_some(buffer(some), failed)) {
    diary += name + std::to_string(count) + " ";
  }
  diary += name + failed.message() + " ";
}

// What ten connections tell in a world of that seed.
std::string diary_of(std::uint64_t seed, const fibers::test::faults& faults) {
  simulation world{seed};
  world.faults(faults);
  std::string diary;
  for (int i = 0; i < 10; ++i) {
    auto [near, far] = world.pair();
    world.spawn([stream = std::move(near)]() mutable {
      error_code failed;
      boost::asio::write(stream, buffer(std::string(100, 'x')), failed);
    });
    world.spawn([&diary, i, stream = std::move(far)]() mutable {
      read_all(stream, std::string(1, static_cast<char>('a' + i)), diary);
    });
  }
  world.run();
  return diary + std::to_string(world.elapsed().count());
}

std::string said_by_deadlock(simulation& world) {
  try {
    world.run();
  } catch (const fibers::test::deadlock& stuck) {
    return stuck.what();
  }
  return {};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test)

BOOST_AUTO_TEST_CASE(a_year_of_sleeping_takes_no_time) {
  simulation world;
  world.spawn([] {
    for (int day = 0; day < 365; ++day) this_fiber::sleep_for(24h);
  });
  const auto begin = std::chrono::steady_clock::now();
  world.run();
  BOOST_TEST((world.elapsed() == 365 * 24h));
  BOOST_TEST(world.polls() <= 2 * 365);
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 10s));
}

BOOST_AUTO_TEST_CASE(a_sleep_ends_at_exactly_its_time) {
  simulation world;
  const auto begin = fibers::clock::now();
  BOOST_TEST((begin == world.now()));
  for (const auto nap : {3ns, 1ns, 2ns}) {
    world.spawn([&, nap] {
      this_fiber::sleep_for(nap);
      BOOST_TEST((fibers::clock::now() - begin == nap));
      BOOST_TEST((fibers::coarse_now() == world.now()));
    });
  }
  world.run();
  BOOST_TEST((world.elapsed() == 3ns));
}

BOOST_AUTO_TEST_CASE(time_stands_still_while_a_fiber_runs) {
  simulation world;
  world.spawn([&] {
    for (int i = 0; i < 1000; ++i) this_fiber::yield();
    BOOST_TEST((world.elapsed() == 0s));
  });
  world.run();
}

BOOST_AUTO_TEST_CASE(a_deadline_of_another_clock_is_converted) {
  simulation world;
  world.spawn([&] { this_fiber::sleep_until(std::chrono::system_clock::now() + 1h); });
  world.run();
  BOOST_TEST((world.elapsed() > 59min && world.elapsed() <= 1h));
}

BOOST_AUTO_TEST_CASE(locks_and_channels_time_out_in_virtual_time) {
  simulation world;
  fibers::mutex door;
  fibers::channel<int> letters{1};
  world.spawn("owner", [&] {
    const std::scoped_lock inside{door};
    this_fiber::sleep_for(24h);
  });
  world.spawn("visitor", [&] {
    BOOST_TEST(!door.try_lock_for(1h));
    BOOST_TEST((world.elapsed() == 1h));
    BOOST_TEST(!letters.pop_for(1h));
    BOOST_TEST((world.elapsed() == 2h));
    BOOST_TEST(door.try_lock_until(fibers::clock::now() + 24h));
    BOOST_TEST((world.elapsed() == 24h));
    door.unlock();
  });
  world.run();
}

BOOST_AUTO_TEST_CASE(a_read_times_out_in_virtual_time) {
  simulation world;
  auto [client, server] = world.pair();
  error_code failed;
  world.spawn([&, stream = std::move(server)]() mutable {
    char byte = 0;
    stream.expires_after(1h);
    stream.read_some(buffer(&byte, 1), failed);
  });
  world.run();
  BOOST_TEST(failed == error::timed_out);
  BOOST_TEST((world.elapsed() == 1h));
}

BOOST_AUTO_TEST_CASE(bytes_and_ends_arrive) {
  simulation world;
  auto [client, server] = world.pair();
  world.spawn([stream = std::move(client)]() mutable {
    boost::asio::write(stream, buffer(std::string(1'000'000, 'x')));
  });
  std::string arrived;
  world.spawn([&, stream = std::move(server)]() mutable {
    error_code failed;
    boost::asio::read(stream, boost::asio::dynamic_buffer(arrived), failed);
    BOOST_TEST(failed == error::eof);
  });
  world.run();
  BOOST_TEST((arrived == std::string(1'000'000, 'x')));
  BOOST_TEST((world.elapsed() == 0s));
}

BOOST_AUTO_TEST_CASE(listeners_serve_over_tcp_and_over_local_sockets) {
  simulation world;
  int served = 0;
  const auto serve = [&](auto& listener) {
    auto stream = listener.accept();
    char byte = 0;
    stream.read_some(buffer(&byte, 1));
    this_fiber::sleep_for(1h);
    served += byte;
  };
  fibers::channel<std::uint16_t> port{1};
  const std::string name{"\0fibers.test_test", 17};
  world.spawn("tcp server", [&] {
    fibers::tcp::listener listener{"127.0.0.1", 0};
    port.push(listener.local_endpoint().port());
    serve(listener);
  });
  world.spawn("local server", [&] {
    fibers::local::listener listener{name};
    serve(listener);
  });
  world.spawn("clients", [&] {
    auto tcp = fibers::tcp::connect_for("127.0.0.1", *port.pop(), 1h);
    auto local = fibers::local::connect(name);
    const char one = 1;
    tcp.write_some(buffer(&one, 1));
    local.write_some(buffer(&one, 1));
    this_fiber::sleep_for(1h);
  });
  world.run();
  BOOST_TEST(served == 2);
}

BOOST_AUTO_TEST_CASE(a_deadlock_is_reported_with_the_fibers_that_wait) {
  simulation world;
  fibers::channel<int> nobody_pushes{1};
  auto [near, far] = world.pair();
  world.spawn("hungry", [&] { nobody_pushes.pop(); });
  world.spawn("reader", [&, stream = std::move(near)]() mutable {
    char byte = 0;
    stream.read_some(buffer(&byte, 1));
  });
  world.spawn("sleeper", [] { this_fiber::sleep_for(1h); });
  const auto said = said_by_deadlock(world);
  BOOST_TEST(said == "deadlock: nothing is ready, and no timer is armed: hungry, reader");
  BOOST_TEST((world.elapsed() == 1h));
  BOOST_TEST(said_by_deadlock(world) == said);
  world.spawn("feeder", [&] { nobody_pushes.push(1); });
  BOOST_TEST(said_by_deadlock(world).ends_with(": reader"));
  world.scheduler().stop();
  world.run();
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_run) {
  const fibers::test::faults faults{.short_counts = 0.5, .delays = 0.5, .resets = 0.01};
  std::set<std::string> runs;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto diary = diary_of(seed, faults);
    BOOST_TEST(diary == diary_of(seed, faults));
    runs.insert(diary);
  }
  BOOST_TEST(runs.size() == 20u);
}

BOOST_AUTO_TEST_CASE(without_faults_a_seed_decides_only_the_order) {
  auto one = diary_of(1, {}), two = diary_of(2, {});
  BOOST_TEST(one != two);
  std::ranges::sort(one);
  std::ranges::sort(two);
  BOOST_TEST(one == two);
}

BOOST_AUTO_TEST_CASE(short_counts_reach_the_program) {
  simulation world;
  world.faults({.short_counts = 1});
  auto [near, far] = world.pair();
  world.spawn([stream = std::move(near)]() mutable {
    const std::string ten(10, 'x');
    const auto sent = stream.write_some(buffer(ten));
    BOOST_TEST((sent >= 1 && sent < 10));
    BOOST_TEST(stream.write_some(std::array{buffer(ten, 1), buffer(ten, 1)}) == 1u);
  });
  world.run();
}

BOOST_AUTO_TEST_CASE(delays_reach_the_program) {
  simulation world;
  world.faults({.delays = 1, .longest_delay = 1h});
  auto [near, far] = world.pair();
  world.spawn([&, stream = std::move(near)]() mutable {
    stream.write_some(buffer("x", 1));
    BOOST_TEST((world.elapsed() > 0s && world.elapsed() <= 1h));
  });
  world.spawn([&, stream = std::move(far)]() mutable {
    char byte = 0;
    error_code failed;
    stream.expires_after(1ns);
    stream.read_some(buffer(&byte, 1), failed);
    BOOST_TEST(failed == error::timed_out);
    stream.expires_never();
    BOOST_TEST(stream.read_some(buffer(&byte, 1)) == 1u);
  });
  world.run();
}

BOOST_AUTO_TEST_CASE(a_reset_ends_the_connection_on_both_sides) {
  std::set<std::string> reasons;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    simulation world{seed};
    auto [near, far] = world.pair();
    world.faults({.resets = 1});
    world.spawn([&, stream = std::move(near), peer = std::move(far)]() mutable {
      char byte = 0;
      error_code failed;
      stream.write_some(buffer(&byte, 1), failed);
      reasons.insert(failed.message());
      BOOST_TEST((failed == error::connection_reset || failed == error::timed_out));
      const auto reason = failed;
      world.faults({});
      stream.write_some(buffer(&byte, 1), failed);
      BOOST_TEST(failed == error::broken_pipe);
      stream.read_some(buffer(&byte, 1), failed);
      BOOST_TEST(failed == reason);
      stream.read_some(buffer(&byte, 1), failed);
      BOOST_TEST(failed == error::eof);
      peer.read_some(buffer(&byte, 1), failed);
      BOOST_TEST(failed == error::eof);
    });
    world.run();
  }
  BOOST_TEST(reasons.size() == 2u);
}

BOOST_AUTO_TEST_CASE(refusals_and_shortages_reach_the_program) {
  simulation world;
  const std::string name{"\0fibers.test_test", 17};
  world.faults({.refusals = 1, .shortages = 1});
  world.spawn("server", [&] {
    fibers::local::listener listener{name};
    listener.accept();
    BOOST_TEST((world.elapsed() == 1h));
  });
  world.spawn("client", [&] {
    error_code failed;
    auto stream = fibers::local::connect(name, failed);
    BOOST_TEST((failed == error::connection_refused || failed == error::timed_out));
    world.faults({.shortages = 1});
    stream.connect(name);
    this_fiber::sleep_for(1h);
    world.faults({});
  });
  world.run();
}

BOOST_AUTO_TEST_CASE(an_exception_leaves_the_run) {
  simulation world;
  world.spawn([] { throw 7; });
  BOOST_CHECK_THROW(world.run(), int);
  auto handle = world.spawn([] { return 42; });
  world.run();
  BOOST_TEST(handle.join() == 42);
}

BOOST_AUTO_TEST_CASE(fibers_that_are_left_unwind_in_virtual_time) {
  auto ended = fibers::clock::duration::zero();
  {
    simulation world;
    world.spawn([&] {
      try {
        this_fiber::sleep_for(1h);
      } catch (const fibers::cancelled&) {
        ended = world.elapsed();
        throw;
      }
    });
    world.spawn([] { throw 7; });
    BOOST_CHECK_THROW(world.run(), int);
    ended = 1s;
  }
  BOOST_TEST((ended == 0s));
}

BOOST_AUTO_TEST_CASE(other_threads_and_later_schedulers_have_the_real_time) {
  simulation world;
  world.spawn([] { this_fiber::sleep_for(24h); });
  std::thread other{[] {
    const auto begin = std::chrono::steady_clock::now();
    fibers::scheduler scheduler;
    scheduler.spawn([&] {
      BOOST_TEST((fibers::clock::now() >= begin));
      this_fiber::sleep_for(5ms);
      BOOST_TEST((std::chrono::steady_clock::now() - begin >= 5ms));
    });
    scheduler.run();
  }};
  world.run();
  other.join();
}

BOOST_AUTO_TEST_CASE(two_worlds_have_two_times) {
  auto one = std::make_unique<simulation>();
  auto two = std::make_unique<simulation>();
  for (auto* each : {one.get(), two.get()}) {
    each->spawn([each] {
      this_fiber::sleep_for(1h);
      BOOST_TEST((fibers::clock::now() == each->now()));
    });
    each->run();
    BOOST_TEST((each->elapsed() == 1h));
  }
  one.reset();
  BOOST_TEST((fibers::clock::now() == two->now()));
  two.reset();
  BOOST_TEST((fibers::clock::now() - std::chrono::steady_clock::now() < 1h));
}

BOOST_AUTO_TEST_CASE(a_pair_belongs_to_the_current_scheduler) {
  simulation world;
  const fibers::scheduler newer;
  BOOST_CHECK_THROW(world.pair(), std::logic_error);
}

BOOST_AUTO_TEST_CASE(waits_for_descriptors_are_those_of_virtual_time) {
  simulation world;
  world.spawn([&] {
    auto [near, far] = world.pair();
    error_code failed;
    BOOST_TEST(!this_fiber::wait_readable_for(near.native_handle(), 1h, failed));
    BOOST_TEST(!failed);
    BOOST_TEST((world.elapsed() == 1h));
    boost::asio::write(far, buffer("x", 1));
    BOOST_TEST(this_fiber::wait_readable_for(near.native_handle(), 1h));
    this_fiber::wait_writable(near.native_handle());
    const int gone = near.native_handle();
    near.close();
    this_fiber::wait_readable(gone, failed);
    BOOST_TEST(failed == error::bad_descriptor);
  });
  world.run();
}

BOOST_AUTO_TEST_CASE(a_half_closed_stream_still_receives) {
  simulation world;
  world.spawn([&] {
    auto [near, far] = world.pair();
    near.shutdown(boost::asio::socket_base::shutdown_send);
    char byte = 0;
    error_code failed;
    BOOST_TEST(far.read_some(buffer(&byte, 1), failed) == 0U);
    BOOST_TEST(failed == error::eof);
    boost::asio::write(far, buffer("x", 1));
    BOOST_TEST(near.read_some(buffer(&byte, 1)) == 1U);
  });
  world.run();
}

BOOST_AUTO_TEST_CASE(a_deadlock_can_be_ended_by_a_post) {
  simulation world;
  bool ended = false;
  auto stuck = world.spawn("stuck", [&] {
    try {
      this_fiber::sleep_until(fibers::never);
    } catch (const fibers::cancelled&) {
      ended = true;
      throw;
    }
  });
  BOOST_TEST(said_by_deadlock(world).find("stuck") != std::string::npos);
  world.scheduler().post([&] { stuck.cancel(); });
  world.run();
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(delays_of_no_length_delay_nothing) {
  simulation world;
  world.faults({.delays = 1, .longest_delay = 0s});
  world.spawn([&] {
    auto [near, far] = world.pair();
    boost::asio::write(near, buffer("x", 1));
    char byte = 0;
    BOOST_TEST(far.read_some(buffer(&byte, 1)) == 1U);
    BOOST_TEST((world.elapsed() == 0s));
  });
  world.run();
}

BOOST_AUTO_TEST_CASE(its_reactor_is_none_of_those_with_a_name) {
  simulation world;
  BOOST_TEST((world.scheduler().backend() == fibers::io::automatic));
}

BOOST_AUTO_TEST_CASE(a_pair_without_descriptors_is_an_error) {
  simulation world;
  const descriptor_limit limit;
  limit.use_up();
  BOOST_CHECK_THROW(world.pair(), boost::system::system_error);
  limit.put_back();
  const auto [near, far] = world.pair();
  BOOST_TEST(near.is_open());
}

BOOST_AUTO_TEST_CASE(a_child_of_fork_that_blocks_in_the_simulation_is_told) {
  simulation world;
  world.spawn([&] {
    auto ends = world.pair();
    const int ended = exit_code_of([&] {
      char byte = 0;
      try {
        ends.first.read_some(buffer(&byte, 1));
      } catch (const std::logic_error&) {
        return 0;
      }
      return 1;
    });
    BOOST_TEST(ended == 0);
  });
  world.run();
}

BOOST_AUTO_TEST_SUITE_END()
