// timer: arms and cancels a timeout while 10,000 others are armed. The deadlines are random and
// computed in advance, so that no clock is read.
#include <fibers/scheduler.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <random>

namespace {

constexpr int armed_count = 10'000;

class random_deadlines {
 public:
  random_deadlines() {
    std::mt19937 generator{1};
    std::uniform_int_distribution<int> seconds{1'000, 2'000};  // far enough that none expires
    for (auto& moment : moments_) moment = start_ + std::chrono::seconds{seconds(generator)};
  }
  fibers::clock::time_point next() { return moments_[next_++ % moments_.size()]; }

 private:
  fibers::clock::time_point start_ = fibers::clock::now();
  std::array<fibers::clock::time_point, 1024> moments_;
  std::size_t next_ = 0;
};

void timer_fibers(benchmark::State& state) {
  fibers::scheduler scheduler;
  random_deadlines deadlines;
  std::list<fibers::time_limit> others(armed_count);
  auto& timers = scheduler.tasks().timers();
  for (auto& other : others) other.at(deadlines.next(), timers);
  fibers::time_limit limit;
  for (auto _ : state) {
    limit.at(deadlines.next(), timers);
    limit.never();
  }
}
BENCHMARK(timer_fibers)->Name("timer/fibers");

// Asio cancels by calling the handler with an error. The handlers run in batches of 256, as in a
// loop with other work, which polls its descriptors once per batch.
void timer_asio(benchmark::State& state) {
  using asio_timer =
      boost::asio::basic_waitable_timer<fibers::clock, boost::asio::wait_traits<fibers::clock>,
                                        boost::asio::io_context::executor_type>;
  constexpr int batch = 256;
  boost::asio::io_context io{1};
  const auto work =
      boost::asio::require(io.get_executor(), boost::asio::execution::outstanding_work.tracked);
  random_deadlines deadlines;
  int cancelled = 0;
  const auto count = [&](boost::system::error_code error) { cancelled += error ? 1 : 0; };
  std::list<asio_timer> others;
  for (int i = 0; i < armed_count; ++i) {
    others.emplace_back(io, deadlines.next()).async_wait(count);
  }
  asio_timer limit{io};
  while (state.KeepRunningBatch(batch)) {
    for (int i = 0; i < batch; ++i) {
      limit.expires_at(deadlines.next());
      limit.async_wait(count);
      limit.cancel();
    }
    io.poll();
  }
  benchmark::DoNotOptimize(cancelled);
}
BENCHMARK(timer_asio)->Name("timer/asio");

}  // namespace
