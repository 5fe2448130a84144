// yield: two fibers take turns. The time is that of one turn, so it contains one switch and a share
// of what the scheduler does between two rounds.
#include <fibers/scheduler.hpp>

#include <benchmark/benchmark.h>

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <memory>

namespace {

constexpr int turns = 50;  // large enough that the loop counter costs nothing

// Both fibers run this, one call deep as in a real program.
template <void (*Yield)()>
[[gnu::noinline]] void take_turns() {
  for (int i = 0; i < turns; ++i) Yield();
}

void yield_fibers(benchmark::State& state) {
  constexpr auto take_turns = ::take_turns<fibers::this_fiber::yield>;
  fibers::scheduler scheduler;
  bool running = true;
  scheduler.spawn([&] {
    while (running) take_turns();
  });
  scheduler.spawn([&] {
    while (state.KeepRunningBatch(2 * turns)) take_turns();
    running = false;
  });
  scheduler.run();
}
BENCHMARK(yield_fibers)->Name("yield/fibers");

void yield_boost_fiber(benchmark::State& state) {
  constexpr auto take_turns = ::take_turns<boost::this_fiber::yield>;
  boost::fibers::pooled_fixedsize_stack stacks;
  bool running = true;
  boost::fibers::fiber other{std::allocator_arg, stacks, [&] {
                               while (running) take_turns();
                             }};
  while (state.KeepRunningBatch(2 * turns)) take_turns();  // the main fiber takes part
  running = false;
  other.join();
}
BENCHMARK(yield_boost_fiber)->Name("yield/boost_fiber");

}  // namespace
