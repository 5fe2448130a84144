// micro_bench: the cost of each part of fibers by itself, beside the same part of a peer.
//
//     micro_bench --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
//                 --benchmark_report_aggregates_only=true
//
// Each row is named `part/library`. The rows of one part do the same work in one process and one
// run, so their ratios hold even where the nanoseconds vary. Each file of this folder is one part.
//
// The peers are configured as an expert would: Boost.Fiber with its default round_robin and pooled
// stacks; Asio with one thread, concrete executors and no fences. Boost.Fiber, Boost.Context and
// fibers all switch with the same jump_fcontext.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();
