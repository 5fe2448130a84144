// The merged histogram of four processes is that of one process that has seen all values.
#include <unistd.h>

#include <bench/hosts/mpi/transport.hpp>
#include <bench/statistics/hdr_encoding.hpp>
#include <bench/statistics/histogram.hpp>
#include <bench/text/command_words.hpp>
#include <boost/mpi/environment.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>

#include <tests/child_process.hpp>

namespace {

using bench::histogram;

constexpr int ranks = 4;
constexpr int values = 200'000;

// Latencies as they occur, most of them near each other and some far off, and the ends of the
// range.
std::vector<std::uint64_t> all_values() {
  std::mt19937_64 random{20'240'131};
  std::vector<std::uint64_t> all{0, 1, 127, 128, histogram::highest, ~std::uint64_t{0}};
  while (all.size() < values) all.push_back(random() >> (random() % 64));
  return all;
}

histogram times_of_rank(int rank) {
  histogram times;
  const auto all = all_values();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (static_cast<int>(i % ranks) == rank) times.record(all[i]);
  return times;
}

histogram times_of_all() {
  histogram times;
  for (const auto each : all_values()) times.record(each);
  return times;
}

// Each of the ranks: records its share, and rank 0 compares the sum.
void record_and_merge() {
  boost::mpi::environment mpi{false};
  bench::mpi_transport all;
  const auto own = times_of_rank(all.rank());
  const auto sums = all.reduce({own.counts().begin(), own.counts().end()});
  const auto texts = all.gather(bench::hdr_encoded(own), std::chrono::seconds{10});
  if (all.rank() != 0) return;
  histogram merged, decoded;
  for (std::size_t bucket = 0; bucket < sums.size(); ++bucket) merged.add(bucket, sums[bucket]);
  for (const auto& each : texts) decoded.merge(bench::hdr_decoded(each));
  const auto wanted = times_of_all();
  std::cout << all.size() << " ranks, " << merged.count() << " values, "
            << (merged.counts() == wanted.counts() ? "equal counts, " : "other counts, ")
            << (bench::hdr_encoded(merged) == bench::hdr_encoded(wanted) ? "equal bytes, "
                                                                         : "other bytes, ")
            << (decoded.counts() == wanted.counts() ? "equal sum of texts" : "other sum of texts")
            << std::endl;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_merged_histogram_of_four_ranks_is_that_of_one_process) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::vector<std::string> command{bench::find_in_path("mpirun"),
                                   "--oversubscribe",
                                   "--bind-to",
                                   "none",
                                   "--mca",
                                   "btl",
                                   "tcp,self",
                                   "--mca",
                                   "btl_tcp_if_include",
                                   "lo",
                                   "--mca",
                                   "oob_tcp_if_include",
                                   "lo"};
  if (geteuid() == 0) command.emplace_back("--allow-run-as-root");
  command.insert(command.end(), {"-np", std::to_string(ranks), self, "--role=merge"});
  const auto ended = run_program(command);
  BOOST_TEST(ended.exit_code == 0, ended.errors);
  BOOST_TEST(ended.output ==
             "4 ranks, 200000 values, equal counts, equal bytes, equal sum of texts\n");
}

int main(int argc, char** argv) {
  if (bench::find_in_path("mpirun").empty()) {
    std::cout << "skipped: there is no mpirun here\n";
    return 77;
  }
  return run_tests_or_role({{"merge", record_and_merge}}, argc, argv);
}
