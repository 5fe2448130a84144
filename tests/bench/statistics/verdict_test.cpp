// Each finding of a verdict: its condition, its limits and its words.
#include <bench/statistics/verdict.hpp>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <vector>

namespace {

using bench::finding;
using bench::judge;

bench::estimate ratio(double value, double low, double high, int n = 10) {
  return {std::log(value), bench::interval{std::log(low), std::log(high)}, n};
}

constexpr bench::in_family watched{1, 0, bench::looks::throughout};

}  // namespace

namespace bench {
std::ostream& operator<<(std::ostream& out, finding what) {
  return out << static_cast<int>(what);
}
}  // namespace bench

BOOST_AUTO_TEST_CASE(an_interval_inside_the_margin_is_equivalent_and_names_the_margin) {
  const auto said = judge(ratio(1.001, 0.995, 1.006), 0.01);
  BOOST_TEST(said.what == finding::equivalent);
  BOOST_TEST(said.words == "equivalent (within 1.0 %)");
  // The margin counts even if the interval excludes zero.
  BOOST_TEST(judge(ratio(1.004, 1.002, 1.006), 0.01).what == finding::equivalent);
}

BOOST_AUTO_TEST_CASE(cheaper_and_dearer_name_their_size_and_interval) {
  const auto lower = judge(ratio(0.959, 0.951, 0.967), 0.01);
  BOOST_TEST(lower.what == finding::lower);
  BOOST_TEST(lower.words == "lower by 4.1 % [3.3, 4.9]");
  const auto higher = judge(ratio(1.097, 1.079, 1.111), 0.01);
  BOOST_TEST(higher.what == finding::higher);
  BOOST_TEST(higher.words == "higher by 9.7 % [7.9, 11.1]");
}

BOOST_AUTO_TEST_CASE(a_proven_difference_within_the_margin_is_tiny) {
  const auto said = judge(ratio(1.015, 1.003, 1.03), 0.02);
  BOOST_TEST(said.what == finding::tiny);
  BOOST_TEST(said.words == "tiny difference, below the margin of 2.0 %");
}

BOOST_AUTO_TEST_CASE(a_margin_that_noise_widened_makes_no_equality_of_a_difference_that_shows) {
  const auto said = judge(ratio(1.023, 1.015, 1.030), 0.039, 'C');
  BOOST_TEST(said.what == finding::tiny);
  BOOST_TEST(said.words == "tiny difference, below the margin of 3.9 %");
  BOOST_TEST(judge(ratio(1.004, 1.002, 1.006), 0.02, 'B').what == finding::tiny);
  BOOST_TEST(judge(ratio(1.004, 0.995, 1.013), 0.02, 'B').what == finding::equivalent);
}

BOOST_AUTO_TEST_CASE(at_noise_grade_d_nothing_is_equivalent) {
  const auto within = judge(ratio(1.01, 0.97, 1.05), 0.144, 'D');
  BOOST_TEST(within.what == finding::inconclusive);
  BOOST_TEST(within.words ==
             "inconclusive: the truth lies in [-3.0, +5.0] %; in noise of grade D nothing is "
             "called equivalent");
  BOOST_TEST(!within.more_blocks);
  BOOST_TEST(judge(ratio(1.089, 1.043, 1.138), 0.144, 'D').what == finding::tiny);
  BOOST_TEST(judge(ratio(1.004, 1.002, 1.006), 0.01, 'D').what == finding::tiny);
  BOOST_TEST(judge(ratio(1.5, 1.3, 1.7), 0.144, 'D').what == finding::higher);
  BOOST_TEST(judge(ratio(1.12, 0.99, 1.3), 0.144, 'D').more_blocks.has_value());
  BOOST_TEST(judge(ratio(1.0, 0.99, 1.01), {}, 0.144, 'D').what == finding::inconclusive);
}

BOOST_AUTO_TEST_CASE(a_wide_interval_is_inconclusive_whatever_its_middle) {
  for (const double middle : {0.97, 1.0, 1.05}) {
    const auto said = judge(ratio(middle, middle * 0.9, middle * 1.1), 0.01);
    BOOST_TEST(said.what == finding::inconclusive);
    BOOST_TEST(said.words.find("the truth lies in [") != std::string::npos);
    BOOST_TEST(said.words.find("would settle it") != std::string::npos);
    BOOST_REQUIRE(said.more_blocks);
    BOOST_TEST(*said.more_blocks > 0);
  }
}

BOOST_AUTO_TEST_CASE(the_blocks_that_would_settle_it_follow_the_square_of_the_width) {
  // The half-width is 4 %, the estimate 2 %. Half the width needs 4 x 10 blocks, 30 more.
  bench::estimate d{0.02, bench::interval{-0.02, 0.06}, 10};
  BOOST_TEST(*judge(d, 0.01).more_blocks == 30);
  // At an estimate of zero the half-width must shrink from 4 % to the margin of 1 %: 16 x 10
  // blocks.
  d = {0.0, bench::interval{-0.04, 0.04}, 10};
  BOOST_TEST(*judge(d, 0.01).more_blocks == 150);
}

BOOST_AUTO_TEST_CASE(what_one_of_many_rows_shows_by_chance_is_no_difference) {
  const auto row = ratio(0.988, 0.979, 0.997);
  BOOST_TEST(judge(row, 0.01, 'A', {.rows = 11, .p = 0.04}).what == finding::lower);
  const auto said = judge(row, 0.01, 'A', {.rows = 11, .p = 0.2});
  BOOST_TEST(said.what == finding::inconclusive);
  BOOST_TEST(said.words ==
             "inconclusive among 11 rows: lower by 1.2 % [0.3, 2.1] by itself; about 2 more blocks "
             "would settle it");
  BOOST_TEST(*said.more_blocks == 2);
  // A margin that holds is not in question.
  BOOST_TEST(judge(ratio(1.004, 1.002, 1.006), 0.01, 'A', {.rows = 11, .p = 0.2}).what ==
             finding::equivalent);
}

BOOST_AUTO_TEST_CASE(too_few_blocks_say_how_many_are_missing) {
  const auto said = judge(bench::estimate{-0.5, {}, 4}, 0.01);
  BOOST_TEST(said.what == finding::inconclusive);
  BOOST_TEST(said.words ==
             "inconclusive: 4 blocks are too few for a 95 % interval; 2 more give one");
  BOOST_TEST(*said.more_blocks == 2);
}

BOOST_AUTO_TEST_CASE(duet_and_exclusive_on_opposite_sides_of_zero_are_a_conflict) {
  const auto said = judge(ratio(0.9, 0.88, 0.92), ratio(1.1, 1.05, 1.15), 0.01);
  BOOST_TEST(said.what == finding::conflict);
  BOOST_TEST(said.words ==
             "conflict, no verdict: lower by 10.0 % [8.0, 12.0] in duet blocks, higher by 10.0 % "
             "[5.0, 15.0] in exclusive ones");
}

BOOST_AUTO_TEST_CASE(exclusive_blocks_that_do_not_contradict_leave_the_duet_its_verdict) {
  const auto duet = ratio(0.9, 0.88, 0.92);
  BOOST_TEST(judge(duet, ratio(1.1, 0.95, 1.3), 0.01).what == finding::lower);
  BOOST_TEST(judge(duet, ratio(0.8, 0.7, 0.9), 0.01).what == finding::lower);
  BOOST_TEST(judge(duet, bench::estimate{}, 0.01).what == finding::lower);
}

BOOST_AUTO_TEST_CASE(the_margin_is_one_percent_or_half_the_noise_floor) {
  BOOST_TEST(bench::margin_of(std::nullopt) == 0.01);
  const auto quiet = bench::noise_of(std::vector<double>{0.001, -0.001, 0.002, -0.002, 0, 0.001});
  BOOST_REQUIRE(quiet);
  BOOST_TEST(quiet->grade == 'A');
  BOOST_TEST(bench::margin_of(quiet) == 0.01);
  const auto loud = bench::noise_of(std::vector<double>{0.06, -0.06, 0.05, -0.05, 0.04, -0.04});
  BOOST_TEST(loud->grade == 'C');
  BOOST_TEST(loud->floor == 0.06, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(bench::margin_of(loud) == 0.03, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(the_grade_follows_the_spread_of_the_control) {
  const auto grade = [](double size) {
    return bench::noise_of(std::vector<double>{size, -size, size, -size, size, -size})->grade;
  };
  BOOST_TEST(grade(0.005) == 'A');
  BOOST_TEST(grade(0.02) == 'B');
  BOOST_TEST(grade(0.05) == 'C');
  BOOST_TEST(grade(0.2) == 'D');
}

BOOST_AUTO_TEST_CASE(a_control_of_few_blocks_still_gives_a_cautious_floor) {
  BOOST_TEST(!bench::noise_of(std::vector<double>{0.01}));
  const auto few = bench::noise_of(std::vector<double>{0.01, -0.01, 0.012});
  BOOST_REQUIRE(few);
  BOOST_TEST(few->floor > 0.02);
}

BOOST_AUTO_TEST_CASE(an_interval_that_is_watched_has_the_same_verdict_without_a_forecast) {
  const auto open = bench::judge(ratio(0.98, 0.94, 1.02), 0.01, 'A', watched);
  BOOST_TEST(open.words == "inconclusive: the truth lies in [-6.0, +2.0] %");
  BOOST_TEST(!open.more_blocks);
  for (const auto& each : {ratio(0.9, 0.88, 0.92), ratio(1, 0.995, 1.005)})
    BOOST_TEST(bench::judge(each, 0.01, 'A', watched).words == judge(each, 0.01).words);
}

BOOST_AUTO_TEST_CASE(no_more_than_a_billion_blocks_are_asked_for) {
  const bench::estimate wide{1e-6, bench::interval{-60, 60}, 1000};
  BOOST_TEST(bench::judge(wide, 0.01, 'A').more_blocks.value() == 1'000'000'000);
}
