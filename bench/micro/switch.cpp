// switch: one jump from a stack to another, the lower bound for everything here.
//
// A round trip is two jumps; the time is that of one.
#include <fibers/memory/stack.hpp>

#include <benchmark/benchmark.h>

#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fiber.hpp>
#include <utility>

namespace {

namespace context = boost::context;
namespace bare = boost::context::detail;

constexpr benchmark::IterationCount round_trips =
    50;  // large enough that the loop counter costs nothing

void come_back_for_ever(bare::transfer_t from) {
  for (;;) from = bare::jump_fcontext(from.fctx, nullptr);
}

void jump_fcontext(benchmark::State& state) {
  const fibers::stack memory;
  bare::fcontext_t there = bare::make_fcontext(memory.top(), memory.size(), come_back_for_ever);
  while (state.KeepRunningBatch(2 * round_trips)) {
    for (benchmark::IterationCount i = 0; i < round_trips; ++i)
      there = bare::jump_fcontext(there, nullptr).fctx;
  }
}
BENCHMARK(jump_fcontext)->Name("switch/jump_fcontext");

void boost_context(benchmark::State& state) {
  context::fiber there{[](context::fiber from) {
    for (;;) from = std::move(from).resume();
    return from;
  }};
  while (state.KeepRunningBatch(2 * round_trips)) {
    for (benchmark::IterationCount i = 0; i < round_trips; ++i) there = std::move(there).resume();
  }
}
BENCHMARK(boost_context)->Name("switch/boost_context");

}  // namespace
