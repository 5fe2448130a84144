// Which intervals a run has, by how often it was looked at.
#include <bench/statistics/confidence_sequence.hpp>
#include <bench/statistics/looks.hpp>

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <span>
#include <vector>

using bench::looks;

namespace {

const std::vector<double> some{0.04, 0.05, 0.06, 0.05, 0.045, 0.055, 0.05};

}  // namespace

BOOST_AUTO_TEST_CASE(a_run_that_was_looked_at_once_has_signed_rank_intervals) {
  BOOST_TEST(interval_over(some, looks::once).range->low ==
             bench::signed_rank_interval(some).range->low);
  BOOST_TEST(p_over(some, looks::once, 2) == bench::signed_rank_p(some, 2));
}

BOOST_AUTO_TEST_CASE(a_run_that_was_watched_has_confidence_sequences) {
  BOOST_TEST(interval_over(some, looks::throughout).range->low ==
             bench::confidence_sequence(some).range->low);
  BOOST_TEST(p_over(some, looks::throughout, 2) == bench::sequence_p(some, 2));
}

BOOST_AUTO_TEST_CASE(one_block_fewer_than_the_fewest_has_no_interval) {
  for (const auto at : {looks::once, looks::throughout}) {
    const auto fewest = static_cast<std::size_t>(bench::fewest_for_interval(at));
    BOOST_TEST(interval_over(std::span{some}.first(fewest), at).range.has_value());
    BOOST_TEST(!interval_over(std::span{some}.first(fewest - 1), at).range.has_value());
  }
}
