// Estimates and intervals, compared with published tables, hand computation and seeded simulation.
#include <bench/statistics/statistics.hpp>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace {

using bench::signed_rank_interval;
using series = std::vector<double>;

// The share of trials whose interval contains zero, which is the true value of each series.
double coverage(int trials, const std::function<series(std::mt19937&)>& make) {
  std::mt19937 random{20260131};
  int covered = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const auto result = signed_rank_interval(make(random), 0.95);
    if (result.range && !result.range->excludes(0)) ++covered;
  }
  return static_cast<double>(covered) / trials;
}

series drawn(std::mt19937& random, std::size_t n,
             const std::function<double(std::mt19937&)>& draw) {
  series values(n);
  for (auto& value : values) value = draw(random);
  return values;
}

// A machine whose speed drifts by far more than the noise of a slice.
class drifting_machine {
 public:
  explicit drifting_machine(std::mt19937& random) : random_{random} {}
  double slice() {
    level_ = 0.95 * level_ + 0.03 * normal_(random_);
    trend_ += 0.002;
    return level_ + trend_ + 0.01 * normal_(random_);
  }

 private:
  std::mt19937& random_;
  std::normal_distribution<double> normal_;
  double level_ = 0;
  double trend_ = 0;
};

// ln(ratio) of two equal servers in each block: ABBA in even rounds, BAAB in odd ones.
series counterbalanced_blocks(std::mt19937& random, int n) {
  drifting_machine machine{random};
  series differences;
  for (int round = 0; round < n; ++round) {
    const double first = machine.slice(), second = machine.slice();
    const double third = machine.slice(), fourth = machine.slice();
    const double inner_less_outer = (second + third) / 2 - (first + fourth) / 2;
    differences.push_back(round % 2 == 0 ? inner_less_outer : -inner_less_outer);
  }
  return differences;
}

// The wrong design: first all measurements of A, then all of B, paired by their index.
series one_after_the_other(std::mt19937& random, int n) {
  drifting_machine machine{random};
  series differences;
  for (int i = 0; i < 2 * n; ++i) {
    const double y = (machine.slice() + machine.slice()) / 2;
    if (i < n)
      differences.push_back(-y);
    else
      differences[static_cast<std::size_t>(i - n)] += y;
  }
  return differences;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_median_of_an_even_number_lies_between_the_two_in_the_middle) {
  BOOST_TEST(bench::median({7}) == 7);
  BOOST_TEST(bench::median({5, 1}) == 3);
  BOOST_TEST(bench::median({9, 1, 5}) == 5);
  BOOST_TEST(bench::median({8, 2, 100, 4}) == 6);
}

BOOST_AUTO_TEST_CASE(k_of_the_signed_rank_interval_is_the_one_of_the_exact_tables) {
  const std::array<std::pair<std::size_t, std::size_t>, 12> table{{{6, 1},
                                                                   {7, 3},
                                                                   {8, 4},
                                                                   {9, 6},
                                                                   {10, 9},
                                                                   {11, 11},
                                                                   {12, 14},
                                                                   {14, 22},
                                                                   {16, 30},
                                                                   {20, 53},
                                                                   {24, 82},
                                                                   {30, 138}}};
  for (const auto& [n, k] : table)
    BOOST_TEST(bench::signed_rank_k(n, 0.95) == k,
               "n = " << n << ": " << bench::signed_rank_k(n, 0.95));
}

BOOST_AUTO_TEST_CASE(below_six_blocks_there_is_no_interval_at_95_percent) {
  const series five{1, 2, 3, 4, 5};
  BOOST_TEST(!signed_rank_interval(five, 0.95).range);
  BOOST_TEST(signed_rank_interval(five, 0.95).value == 3.0);
  BOOST_TEST(signed_rank_interval(five, 0.90).range.has_value());
  for (std::size_t n = 1; n < 6; ++n) BOOST_TEST(bench::signed_rank_k(n, 0.95) == 0U);
}

BOOST_AUTO_TEST_CASE(no_blocks_give_no_estimate_and_no_crash) {
  BOOST_TEST(signed_rank_interval({}, 0.95).n == 0);
  BOOST_TEST(!signed_rank_interval({}, 0.95).range);
  BOOST_TEST(bench::paired_t_interval({}).n == 0);
  BOOST_TEST(bench::spread({}) == 0.0);
}

BOOST_AUTO_TEST_CASE(estimate_and_interval_agree_with_a_count_by_hand) {
  // n = 6, k = 1: the interval ranges from the smallest to the largest value.
  const series six{3, 1, 4, 1.5, 9, 2.5};
  const auto result = signed_rank_interval(six, 0.95);
  BOOST_TEST(result.n == 6);
  BOOST_REQUIRE(result.range);
  BOOST_TEST(result.range->low == 1.0);
  BOOST_TEST(result.range->high == 9.0);
  // The estimate is the median of the 21 pairwise averages: 1, 1.25, 1.5, 1.75, 2,
  // 2, 2.25, 2.5, 2.5, 2.75, 2.75, ...
  BOOST_TEST(result.value == 2.75);
}

BOOST_AUTO_TEST_CASE(one_wild_block_moves_the_mean_but_not_the_estimate) {
  series quiet{0.9, 1.0, 1.1, 0.95, 1.05, 1.0, 0.98, 1.02, 1.0, 1.0};
  const auto calm = signed_rank_interval(quiet);
  quiet.back() = 50;
  const auto disturbed = signed_rank_interval(quiet);
  BOOST_TEST(std::abs(disturbed.value - calm.value) < 0.05);
  BOOST_TEST(bench::paired_t_interval(quiet).value > 5);
}

BOOST_AUTO_TEST_CASE(students_interval_agrees_with_its_table) {
  const series values{1, 2, 3, 4, 5};  // t(4, 97.5 %) = 2.776, standard error sqrt(0.5)
  const auto result = bench::paired_t_interval(values);
  BOOST_REQUIRE(result.range);
  BOOST_TEST(result.value == 3.0);
  BOOST_TEST(result.range->half_width() == 2.7764 * std::sqrt(0.5),
             boost::test_tools::tolerance(1e-4));
  BOOST_TEST(!bench::paired_t_interval(series{1}).range);
}

BOOST_AUTO_TEST_CASE(a_ratio_comes_from_its_logarithm_with_its_interval) {
  const auto whole =
      bench::ratio_from_log({std::log(2), bench::interval{std::log(1.5), std::log(3)}, 7});
  BOOST_TEST(whole.value == 2, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(whole.range.value().low == 1.5, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(whole.range->high == 3, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(whole.n == 7);
  BOOST_TEST(!bench::ratio_from_log({std::log(2), {}, 3}).range.has_value());
  BOOST_TEST(bench::ratio_from_log({}).n == 0);
}

// The quantiles are those of printed tables of the distribution.
BOOST_AUTO_TEST_CASE(an_estimate_with_students_error_agrees_with_printed_tables) {
  const bench::t_estimate ten{3, 2, 10};
  BOOST_TEST(ten.range().high == 3 + 2 * 2.22814, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(ten.range(0.9).low == 3 - 2 * 1.81246, boost::test_tools::tolerance(1e-5));
  BOOST_TEST((bench::t_estimate{-2.22814, 1, 10}).p() == 0.05, boost::test_tools::tolerance(1e-4));
  const bench::t_estimate normal{1.959964, 1, std::numeric_limits<double>::infinity()};
  BOOST_TEST(normal.p() == 0.05, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(std::abs(normal.range().low) < 1e-5);
}

BOOST_AUTO_TEST_CASE(holms_correction_agrees_with_the_textbook_and_stays_in_place) {
  const auto corrected = bench::holm_corrected(series{0.01, 0.04, 0.03, 0.005});
  const series expected{0.03, 0.06, 0.06, 0.02};
  BOOST_REQUIRE(corrected.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    BOOST_TEST(corrected[i] == expected[i], boost::test_tools::tolerance(1e-12));
  BOOST_TEST(bench::holm_corrected(series{0.6, 0.9}) == (series{1, 1}),
             boost::test_tools::per_element());
  BOOST_TEST(bench::holm_corrected(series{}).empty());
}

BOOST_AUTO_TEST_CASE(the_p_value_is_where_the_interval_begins_to_exclude_zero) {
  const std::vector<double> above{0.1, 0.2, 0.3, 0.4, 0.5, 0.6};
  BOOST_TEST(bench::signed_rank_p(above) == 2.0 / 64);
  auto mixed = above;
  mixed[0] = -0.1;  // rank 1 of 6: sums of at most 1 in 2 of 64 patterns
  BOOST_TEST(bench::signed_rank_p(mixed) == 4.0 / 64);
  BOOST_TEST(bench::signed_rank_p(above, 1) < bench::signed_rank_p(above, 2));
  BOOST_TEST(bench::signed_rank_p(std::vector<double>{}) == 1);
  BOOST_TEST(bench::signed_rank_p(std::vector<double>(6, 0.0)) == 1);
}

BOOST_AUTO_TEST_CASE(the_common_autocorrelation_is_that_of_many_series_and_not_of_chance) {
  std::mt19937 random{3};
  std::normal_distribution<double> normal;
  const auto series_of = [&](double r) {
    std::vector<std::vector<double>> all(40);
    for (auto& each : all) {
      each.push_back(normal(random));
      while (each.size() < 10)
        each.push_back(r * each.back() + std::sqrt(1 - r * r) * normal(random));
    }
    return all;
  };
  BOOST_TEST(bench::common_autocorrelation(series_of(0)) < 0.05);
  BOOST_TEST(std::abs(bench::common_autocorrelation(series_of(0.4)) - 0.4) < 0.1);
  BOOST_TEST(bench::common_autocorrelation(series_of(-0.4)) == 0);
  const std::vector<std::vector<double>> few{{1, 2, 3, 4, 5}, std::vector<double>(10, 1.0)};
  BOOST_TEST(bench::common_autocorrelation(few) == 0);
  BOOST_TEST(bench::widening_of(0) == 1);
  BOOST_TEST(bench::widening_of(0.6) == 2, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_plan_of_equal_shares_is_holms_method) {
  const std::vector<double> p{0.01, 0.04, 0.03, 0.005};
  const double third = 1. / 3;
  const bench::test_plan plan{{0.25, 0.25, 0.25, 0.25},
                              {{0, third, third, third},
                               {third, 0, third, third},
                               {third, third, 0, third},
                               {third, third, third, 0}}};
  const auto corrected = bench::plan_corrected(p, plan), holm = bench::holm_corrected(p);
  for (std::size_t i = 0; i < p.size(); ++i)
    BOOST_TEST(corrected[i] == holm[i], boost::test_tools::tolerance(1e-12));
}

// Two primary tests, each of which passes its share to a secondary one, which passes it to the
// other primary one; computed by hand.
BOOST_AUTO_TEST_CASE(a_test_that_is_significant_passes_its_share_on) {
  const bench::test_plan plan{{0.5, 0.5, 0, 0},
                              {{0, 0, 1, 0}, {0, 0, 0, 1}, {0, 1, 0, 0}, {1, 0, 0, 0}}};
  const auto corrected = bench::plan_corrected(std::vector<double>{0.01, 0.02, 0.005, 0.5}, plan);
  const std::vector<double> expected{0.02, 0.02, 0.02, 0.5};
  for (std::size_t i = 0; i < expected.size(); ++i)
    BOOST_TEST(corrected[i] == expected[i], boost::test_tools::tolerance(1e-12));
  // Without a share nothing is significant, however small its p-value is.
  BOOST_TEST(bench::plan_corrected(std::vector<double>{1e-9}, {{0}, {{0}}}).front() == 1);
}

BOOST_AUTO_TEST_CASE(a_verdict_among_others_takes_more_blocks) {
  BOOST_TEST(bench::blocks_for_family(1) == 1, boost::test_tools::tolerance(1e-9));
  // 2.84 and 1.96: the normal quantiles at 5 % / 11 and at 5 %.
  BOOST_TEST(bench::blocks_for_family(11) == 2.098, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(a_limit_is_doubted_the_more_the_higher_the_estimate_is_above_it) {
  const bench::t_estimate found{2, 0.5, 7};
  BOOST_TEST(std::abs(2 * found.p_at_most(0) - found.p()) < 1e-12);
  BOOST_TEST(std::abs(found.p_at_most(2) - 0.5) < 1e-12);
  BOOST_TEST(std::abs(found.p_at_most(found.range().low) - 0.025) < 1e-9);
  BOOST_TEST(found.p_at_most(100) > 0.999);
}

BOOST_AUTO_TEST_CASE(an_estimate_without_an_error_is_exact) {
  const bench::t_estimate one{1, 0, 1}, none{0, 0, 1};
  BOOST_TEST(one.p() == 0.0);
  BOOST_TEST(none.p() == 1.0);
  BOOST_TEST(one.range().low == 1.0);
  BOOST_TEST(one.p_at_most(0.5) == 0.0);
  BOOST_TEST(one.p_at_most(1.5) == 1.0);
}

BOOST_AUTO_TEST_CASE(a_trend_over_the_blocks_is_called_correlated_and_alternation_too) {
  series trend, noise;
  std::mt19937 random{7};
  std::normal_distribution<double> normal;
  for (int i = 0; i < 20; ++i) {
    trend.push_back(i + normal(random));
    noise.push_back(normal(random));
  }
  BOOST_TEST(*bench::ljung_box_p(trend) < 0.01);
  BOOST_TEST(*bench::ljung_box_p(noise) > 0.05);
  BOOST_TEST(!bench::ljung_box_p(series(10, 1.0)));
  BOOST_TEST(!bench::ljung_box_p(series{1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(the_interval_covers_the_truth_as_often_as_it_says) {
  for (const std::size_t n : {6U, 8U, 10U, 16U}) {
    const auto normal = coverage(2000, [n](std::mt19937& random) {
      return drawn(random, n, std::normal_distribution<double>{});
    });
    const auto heavy_tails = coverage(2000, [n](std::mt19937& random) {
      return drawn(random, n, std::student_t_distribution<double>{2});
    });
    BOOST_TEST((normal > 0.93 && normal < 0.985), "normal, n = " << n << ": " << normal);
    BOOST_TEST((heavy_tails > 0.93 && heavy_tails < 0.985),
               "heavy, n = " << n << ": " << heavy_tails);
  }
}

BOOST_AUTO_TEST_CASE(counterbalanced_blocks_keep_the_promise_on_a_drifting_machine) {
  const auto kept = coverage(2000, [](auto& random) { return counterbalanced_blocks(random, 10); });
  BOOST_TEST((kept > 0.93 && kept < 0.985), "ABBA and BAAB: " << kept);
  const auto broken = coverage(2000, [](auto& random) { return one_after_the_other(random, 10); });
  BOOST_TEST(broken < 0.7, "first A, then B: " << broken);
}
