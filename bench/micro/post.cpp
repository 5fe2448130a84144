// post: hands functions to a loop, which runs them. They are posted from the loop's own thread, so
// the time contains no wake-up of another thread. They are posted in batches of 256, which share
// what the loop does between two rounds.
#include <fibers/scheduler.hpp>

#include <benchmark/benchmark.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace {

constexpr int batch = 256;

void post_fibers(benchmark::State& state) {
  fibers::scheduler scheduler;
  scheduler.spawn([&] {
    auto& tasks = scheduler.tasks();
    auto& self = *tasks.current();
    int left = 0;
    while (state.KeepRunningBatch(batch)) {
      left = batch;
      for (int i = 0; i < batch; ++i) {
        scheduler.post([&] {
          if (--left == 0) tasks.wake(self);
        });
      }
      while (left > 0) tasks.park();
    }
  });
  scheduler.run();
}
BENCHMARK(post_fibers)->Name("post/fibers");

void post_asio(benchmark::State& state) {
  boost::asio::io_context io{1};
  int left = 0;
  struct round {
    benchmark::State& state;
    boost::asio::io_context& io;
    int& left;
    void operator()() const {
      if (!state.KeepRunningBatch(batch)) return;
      left = batch;
      for (int i = 0; i < batch; ++i) {
        boost::asio::post(io, [again = *this] {
          if (--again.left == 0) again();
        });
      }
    }
  };
  boost::asio::post(io, round{state, io, left});
  io.run();
}
BENCHMARK(post_asio)->Name("post/asio");

}  // namespace
