// spawn_join: starts a fiber on a pooled stack, lets it run, and joins it.
#include <fibers/scheduler.hpp>

#include <benchmark/benchmark.h>

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <memory>

namespace {

void spawn_join_fibers(benchmark::State& state) {
  fibers::scheduler scheduler;
  scheduler.spawn([&] {
    int count = 0;
    for (auto _ : state) scheduler.spawn([&] { ++count; }).join();
    benchmark::DoNotOptimize(count);
  });
  scheduler.run();
}
BENCHMARK(spawn_join_fibers)->Name("spawn_join/fibers");

void spawn_join_boost_fiber(benchmark::State& state) {
  boost::fibers::pooled_fixedsize_stack stacks;
  int count = 0;
  for (auto _ : state) boost::fibers::fiber{std::allocator_arg, stacks, [&] { ++count; }}.join();
  benchmark::DoNotOptimize(count);
}
BENCHMARK(spawn_join_boost_fiber)->Name("spawn_join/boost_fiber");

}  // namespace
