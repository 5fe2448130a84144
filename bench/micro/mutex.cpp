// mutex: two fibers take the same lock, and each yields while it holds it, so that every unlock()
// wakes the other. The time is that of one lock, yield and unlock.
#include <fibers/mutex.hpp>
#include <fibers/scheduler.hpp>

#include <benchmark/benchmark.h>

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/mutex.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <memory>
#include <mutex>

namespace {

void mutex_fibers(benchmark::State& state) {
  fibers::scheduler scheduler;
  fibers::mutex door;
  bool running = true;
  const auto pass = [&] {
    const std::lock_guard inside{door};
    fibers::this_fiber::yield();
  };
  scheduler.spawn([&] {
    while (running) pass();
  });
  scheduler.spawn([&] {
    while (state.KeepRunningBatch(2)) pass();  // the other fiber passes once as well
    running = false;
  });
  scheduler.run();
}
BENCHMARK(mutex_fibers)->Name("mutex/fibers");

void mutex_boost_fiber(benchmark::State& state) {
  boost::fibers::pooled_fixedsize_stack stacks;
  boost::fibers::mutex door;
  bool running = true;
  const auto pass = [&] {
    const std::lock_guard inside{door};
    boost::this_fiber::yield();
  };
  boost::fibers::fiber other{std::allocator_arg, stacks, [&] {
                               while (running) pass();
                             }};
  while (state.KeepRunningBatch(2)) pass();
  running = false;
  other.join();
}
BENCHMARK(mutex_boost_fiber)->Name("mutex/boost_fiber");

}  // namespace
