// parked: fibers that wait. The time is that of starting them all, each on a stack that was never
// used. kib_per_fiber is the growth of the process's PSS and page tables (VmPTE), divided by the
// number of fibers.
//
// Each count is measured in a process and on a thread of its own, because stacks and pages that
// were used before would cost nothing.
#include <fibers/scheduler.hpp>

#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace {

constexpr double most_kib_per_fiber = 5;  // a row is skipped unless this much memory is available

struct measured {
  double seconds;
  double kib;
};

double field_kib(const char* file, std::string_view name) {
  std::ifstream fields{file};
  for (std::string word; fields >> word;) {
    double value = 0;
    if (word == name && fields >> value) return value;
  }
  return 0;
}

double process_kib() {
  return field_kib("/proc/self/smaps_rollup", "Pss:") + field_kib("/proc/self/status", "VmPTE:");
}

measured park(std::int64_t count) {
  fibers::scheduler scheduler;
  measured result{};
  scheduler.spawn([&] {
    auto& tasks = scheduler.tasks();
    const double before = process_kib();
    const auto begin = fibers::clock::now();
    for (std::int64_t i = 0; i < count; ++i) scheduler.spawn([&tasks] { tasks.park(); });
    fibers::this_fiber::yield();  // all of them are queued before this fiber, so they run and park
    result.seconds = std::chrono::duration<double>(fibers::clock::now() - begin).count();
    result.kib = process_kib() - before;
    scheduler.stop();
  });
  scheduler.run();
  return result;
}

// Writes the result to the descriptor `told` and ends the process.
void park_and_tell(std::int64_t count, int told) {
  std::jthread{[=] {
    const auto result = park(count);
    ::_exit(::write(told, &result, sizeof result) == sizeof result ? 0 : 1);
  }}.join();
}

std::optional<measured> park_in_a_process(std::int64_t count) {
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  const auto child = ::fork();
  if (child == 0) park_and_tell(count, ends[1]);
  ::close(ends[1]);
  measured result{};
  const auto got = ::read(ends[0], &result, sizeof result);
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  if (got != sizeof result) return std::nullopt;
  return result;
}

void parked_fibers(benchmark::State& state) {
  const auto count = state.range(0);
  const auto wanted = static_cast<double>(count) * most_kib_per_fiber;
  for (auto _ : state) {
    if (field_kib("/proc/meminfo", "MemAvailable:") < wanted) {
      return state.SkipWithError("there is not enough free memory");
    }
    const auto result = park_in_a_process(count);
    if (!result) return state.SkipWithError("the process that parks them has failed");
    state.SetIterationTime(result->seconds);
    state.counters["kib_per_fiber"] = result->kib / static_cast<double>(count);
  }
}
// One repetition only: touching the stacks of a million fibers takes long.
BENCHMARK(parked_fibers)
    ->Name("parked/fibers")
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->Arg(1'000)
    ->Arg(100'000);
BENCHMARK(parked_fibers)
    ->Name("parked/fibers")
    ->UseManualTime()
    ->Iterations(1)
    ->Repetitions(1)
    ->Unit(benchmark::kMillisecond)
    ->Arg(1'000'000);

}  // namespace
