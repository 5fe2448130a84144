// Runs that end when they are sure keep what a run promises: simulated with fixed seeds.
#include <bench/analysis/analysis.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <tests/bench/analysis/even_run.hpp>
#include <tests/sanitized.hpp>

using bench::finding;

namespace {

bench::run_record first_rounds(const bench::run_record& whole, int rounds) {
  bench::run_record begun;
  begun.header = whole.header;
  for (const auto& each : whole.blocks)
    if (each.round < rounds) begun.blocks.push_back(each);
  return begun;
}

struct ended_run {
  int rounds = 0;
  bench::results found;
};

// What a run says that could end after each round, with all of its rounds given.
ended_run until_sure(const even_run& truth, std::mt19937& random) {
  auto whole = run_of(truth, random);
  whole.header.watched = true;
  for (int rounds = 1;; ++rounds) {
    auto found = bench::analyse(first_rounds(whole, rounds));
    if (rounds == truth.rounds || is_settled(found)) return {rounds, std::move(found)};
  }
}

bool is_a_difference(const bench::verdict& said) {
  return said.what == finding::lower || said.what == finding::higher || said.what == finding::tiny;
}

bool any_is_named(const bench::results& found) {
  const auto& overall = found.overall->front();
  return is_a_difference(overall.cpu->verdict) || is_a_difference(overall.throughput->verdict) ||
         std::any_of(found.costs.begin(), found.costs.end(),
                     [](const auto& row) { return is_a_difference(row.verdict); }) ||
         std::any_of(found.loads.begin(), found.loads.end(), [](const auto& row) {
           return is_a_difference(*row.throughput_verdict) || is_a_difference(row.p50->verdict);
         });
}

// A sanitizer looks at the code, for which a tenth of the runs suffices.
int as_many(int runs) {
  return sanitized ? runs / 10 : runs;
}

}  // namespace

BOOST_AUTO_TEST_CASE(
    of_a_hundred_runs_until_sure_in_which_nothing_differs_at_most_five_say_otherwise) {
  for (const double spread : {0.007, 0.015, 0.03, 0.06}) {
    std::mt19937 random{2026};
    int wrong = 0;
    for (int i = 0; i < as_many(100); ++i)
      wrong += any_is_named(until_sure({.spread = spread}, random).found) ? 1 : 0;
    BOOST_TEST_MESSAGE(spread << ": " << wrong << " of 100");
    BOOST_TEST(wrong <= 5, spread);
  }
}

// Few blocks do not show that they resemble the ones before them.
BOOST_AUTO_TEST_CASE(correlated_blocks_do_not_make_a_run_until_sure_wrong_more_often) {
  std::mt19937 random{2026};
  int wrong = 0;
  for (int i = 0; i < as_many(200); ++i)
    wrong +=
        any_is_named(until_sure({.spread = 0.03, .autocorrelation = 0.3}, random).found) ? 1 : 0;
  BOOST_TEST_MESSAGE(wrong << " of 200");
  BOOST_TEST(wrong <= 10);
}

BOOST_AUTO_TEST_CASE(where_servers_differ_by_five_percent_half_of_the_rounds_suffice) {
  for (const double spread : {0.007, 0.015, 0.03}) {
    std::mt19937 random{2026};
    double rounds = 0;
    int found = 0;
    for (int i = 0; i < as_many(100); ++i) {
      const auto end = until_sure({.spread = spread, .common_difference = std::log(1.05)}, random);
      rounds += end.rounds;
      found += end.found.overall->front().cpu->verdict.what == finding::higher ? 1 : 0;
    }
    rounds /= as_many(100);
    BOOST_TEST_MESSAGE(spread << ": " << rounds << " of 10 rounds, found in " << found);
    BOOST_TEST(rounds <= 5);
    BOOST_TEST(found >= as_many(95));
  }
}

BOOST_AUTO_TEST_CASE(a_run_of_equals_ends_when_it_may_call_them_equal) {
  std::mt19937 random{2026};
  const auto quiet = until_sure({.spread = 0.007}, random);
  BOOST_TEST(quiet.rounds < 10);
  const auto& said = quiet.found.overall->front().cpu->verdict;
  BOOST_TEST((said.what == finding::equivalent), said.words);
  BOOST_TEST(until_sure({.spread = 0.1}, random).rounds == 10);
}

BOOST_AUTO_TEST_CASE(what_a_watched_run_says_forecasts_no_blocks) {
  std::mt19937 random{2026};
  auto record = run_of({.spread = 0.03, .rounds = 3}, random);
  record.header.watched = true;
  BOOST_TEST(bench::analyse(record).costs.front().verdict.words ==
             "inconclusive: 3 blocks are too few for a 95 % interval; 1 more gives one");
  record = run_of({.spread = 0.03}, random);
  const auto once = bench::analyse(record);
  record.header.watched = true;
  const auto watched = bench::analyse(record);
  for (std::size_t i = 0; i < once.costs.size(); ++i) {
    BOOST_TEST(watched.costs[i].ratio.range->half_width() >
               once.costs[i].ratio.range->half_width());
    BOOST_TEST(watched.costs[i].base.cpu_ns.range.has_value());
    BOOST_TEST(watched.loads[i].throughput_ratio.range->half_width() >
               once.loads[i].throughput_ratio.range->half_width());
    BOOST_TEST(!watched.costs[i].verdict.more_blocks.has_value());
    BOOST_TEST(watched.costs[i].verdict.words.find("would settle") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(what_is_left_to_find_out_settles_nothing) {
  BOOST_TEST(!bench::is_settled({}));
  bench::results found;
  found.overall.emplace();
  BOOST_TEST(!is_settled(found));
  auto& row = found.overall->emplace_back();
  row.comparison = {"fibers/epoll", "asio-callback/epoll", {}};
  BOOST_TEST(!is_settled(found));
  const auto says = [](finding what) {
    bench::overall_metric said;
    said.verdict.what = what;
    return said;
  };
  row.throughput = says(finding::inconclusive);  // its CPU is unknown
  BOOST_TEST(!is_settled(found));
  row.throughput = says(finding::lower);
  BOOST_TEST(is_settled(found));
  row.cpu = says(finding::inconclusive);
  BOOST_TEST(!is_settled(found));
  row.cpu = says(finding::equivalent);
  BOOST_TEST(is_settled(found));
  found.overall->push_back({{"fibers/epoll", "fibers/epoll/inject1000ns", {}},
                            says(finding::inconclusive),
                            says(finding::inconclusive)});
  BOOST_TEST(is_settled(found));
  found.overall->push_back({{"fibers/epoll", "floor/epoll", {}}, says(finding::inconclusive), {}});
  BOOST_TEST(!is_settled(found));
}
