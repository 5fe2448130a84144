// micro_bench: what the parts of fibers cost by themselves, beside the same part of a peer.
//
//     micro_bench --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
//                 --benchmark_report_aggregates_only=true
//
// Each row is named `part/who`; rows of one part do the same work, in one process and one run, so
// that their ratio holds where the nanoseconds do not. One part a file, in bench/micro/.
//
// The peers are set up as one who knows them would: Boost.Fiber with its default round_robin and
// pooled stacks, Asio with one thread, concrete executors and no fences. All of them switch by the
// same jump_fcontext.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();
