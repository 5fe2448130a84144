// channel: passes one item from a fiber to another through an unbuffered channel, so that each side
// waits for the other.
#include <fibers/channel.hpp>
#include <fibers/scheduler.hpp>

#include <benchmark/benchmark.h>

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <boost/fiber/unbuffered_channel.hpp>
#include <memory>

namespace {

void channel_fibers(benchmark::State& state) {
  fibers::scheduler scheduler;
  fibers::channel<int> items;
  scheduler.spawn([&] {
    int i = 0;
    while (items.push(++i)) {
    }
  });
  scheduler.spawn([&] {
    for (auto _ : state) benchmark::DoNotOptimize(items.pop());
    items.close();
  });
  scheduler.run();
}
BENCHMARK(channel_fibers)->Name("channel/fibers");

void channel_boost_fiber(benchmark::State& state) {
  boost::fibers::pooled_fixedsize_stack stacks;
  boost::fibers::unbuffered_channel<int> items;
  boost::fibers::fiber pushes{
      std::allocator_arg, stacks, [&] {
        int i = 0;
        while (items.push(++i) == boost::fibers::channel_op_status::success) {
        }
      }};
  for (auto _ : state) {
    int item = 0;
    items.pop(item);
    benchmark::DoNotOptimize(item);
  }
  items.close();
  pushes.join();
}
BENCHMARK(channel_boost_fiber)->Name("channel/boost_fiber");

}  // namespace
