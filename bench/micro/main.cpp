// micro_bench: the cost of each part of fibers by itself, beside the same part of a peer.
//
//     micro_bench --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
//                 --benchmark_report_aggregates_only=true
//
// --version prints which build it is.
//
// Each row is named `part/library`. The rows of one part do the same work in one process and one
// run, so their ratios hold even where the nanoseconds vary. Each file of this folder is one part.
//
// The peers are configured as an expert would: Boost.Fiber with its default round_robin and pooled
// stacks; Asio with one thread, concrete executors and no fences. Boost.Fiber, Boost.Context and
// fibers all switch with the same jump_fcontext.
#include <bench/contract/standard_descriptors.hpp>
#include <bench/contract/version.hpp>

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
  bench::open_missing_descriptors();
  if (argc == 2 && std::string_view{argv[1]} == "--version")
    return std::puts(bench::version_line("micro_bench").c_str()) < 0 ? 1 : 0;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
