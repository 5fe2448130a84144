// generator: generator_next, the next value of a generator that counts.
#include <fibers/generator.hpp>

#include <benchmark/benchmark.h>

#include <boost/coroutine2/coroutine.hpp>

namespace {

void generator_fibers(benchmark::State& state) {
  fibers::generator<int> numbers{[](auto& yield) {
    for (int i = 0;; ++i) yield(i);
  }};
  for (auto _ : state) benchmark::DoNotOptimize(numbers.next());
}
BENCHMARK(generator_fibers)->Name("generator_next/fibers");

void generator_boost_coroutine2(benchmark::State& state) {
  using numbers_type = boost::coroutines2::coroutine<int>;
  numbers_type::pull_type numbers{[](numbers_type::push_type& yield) {
    for (int i = 0;; ++i) yield(i);
  }};
  for (auto _ : state) benchmark::DoNotOptimize(numbers().get());
}
BENCHMARK(generator_boost_coroutine2)->Name("generator_next/boost_coroutine2");

}  // namespace
