// Confidence sequences: their formula, computed by hand, and their promise, by seeded simulation of
// series that are looked at after every value.
#include <bench/statistics/confidence_sequence.hpp>

#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <optional>
#include <ostream>
#include <random>
#include <span>
#include <string>
#include <vector>

using bench::confidence_sequence;
namespace data = boost::unit_test::data;
namespace tt = boost::test_tools;

namespace {

using series = std::vector<double>;
constexpr std::size_t longest = 60;
constexpr int trials = 400;

// How the values of a series lie around the truth, which is their mean.
struct shape {
  const char* name;
  double (*draw)(std::mt19937&);
  double at_least = 0;  // misses, in percent of all series
  double at_most = 5;
  friend std::ostream& operator<<(std::ostream& out, const shape& each) { return out << each.name; }
};

double normal(std::mt19937& random) {
  return std::normal_distribution<double>{}(random);
}

// In one value of twenty. The scale of the values does not matter.
double hiccup(std::mt19937& random, double size, double otherwise) {
  return random() % 20 == 0 ? size : otherwise;
}

const std::vector<shape> shapes{
    {"normal", normal},
    {"Student's t with 3 degrees of freedom",
     [](std::mt19937& random) { return std::student_t_distribution<double>{3}(random); }},
    {"normal, and one in twenty disturbed",
     [](std::mt19937& random) {
       const double scale = hiccup(random, 10, 1);
       return scale * normal(random);
     }},
    // These break the promise. The header says how far.
    {"exponential",
     [](std::mt19937& random) { return std::exponential_distribution<double>{}(random)-1; }, 8, 18},
    {"normal, and one in twenty higher",
     [](std::mt19937& random) {
       const double higher = hiccup(random, 10, 0);
       return normal(random) + higher - 0.5;
     },
     15, 27}};

// The n at which an interval first misses 0, if somebody looks after every value up to `most`.
std::optional<std::size_t> first_miss(
    const std::function<double()>& draw, std::size_t most,
    const std::function<bench::estimate(std::span<const double>)>& interval_of) {
  series values;
  while (values.size() < most) {
    values.push_back(draw());
    const auto found = interval_of(values);
    if (found.range && found.range->excludes(0)) return values.size();
  }
  return std::nullopt;
}

// In how many of `trials` series some interval misses 0, while the truth is `truth`.
int misses(const shape& kind, double truth, std::size_t most,
           const std::function<bench::estimate(std::span<const double>)>& interval_of) {
  std::mt19937 random{1};
  int count = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const auto draw = [&] { return truth + kind.draw(random); };
    count += first_miss(draw, most, interval_of).has_value();
  }
  return count;
}

bench::estimate sequence_of(std::span<const double> values) {
  return confidence_sequence(values);
}

// The left side of the condition in the header for the bound `u`, which is 1 / alpha there.
double evidence_against(double u, const series& values) {
  const auto n = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (double each : values) mean += each / n;
  for (double each : values) squares += (each - mean) * (each - mean);
  const double t = (mean - u) * std::sqrt(n) / std::sqrt(squares / (n - 1));
  const double growth = 1 + 5 * n;
  return std::pow((1 + t * t / (n - 1)) / (1 + t * t / ((n - 1) * growth)), n / 2) /
         std::sqrt(growth);
}

}  // namespace

BOOST_DATA_TEST_CASE(who_watches_equal_servers_for_60_blocks_is_as_seldom_wrong_as_documented,
                     data::make(shapes), kind) {
  const int wrong = misses(kind, 0, longest, sequence_of);
  BOOST_TEST(wrong >= trials * kind.at_least / 100);
  BOOST_TEST(wrong <= trials * kind.at_most / 100);
  BOOST_TEST_MESSAGE(wrong << " of " << trials);
}

// Within 30 blocks, which is enough to see it: each costs more than the one before.
BOOST_AUTO_TEST_CASE(who_watches_a_fixed_interval_often_sees_one) {
  const int wrong = misses(shapes.front(), 0, longest / 2, [](std::span<const double> values) {
    return bench::signed_rank_interval(values);
  });
  BOOST_TEST(wrong >= trials * 15 / 100);
  BOOST_TEST_MESSAGE(wrong << " of " << trials);
}

BOOST_AUTO_TEST_CASE(a_difference_of_three_spreads_is_found_within_seven_blocks) {
  BOOST_TEST(misses(shapes.front(), 3, 7, sequence_of) >= trials * 90 / 100);
  BOOST_TEST(misses(shapes.front(), -3, 7, sequence_of) >= trials * 90 / 100);
}

BOOST_AUTO_TEST_CASE(a_difference_of_one_spread_is_found_within_thirty_blocks) {
  BOOST_TEST(misses(shapes.front(), 1, 30, sequence_of) >= trials * 90 / 100);
}

BOOST_DATA_TEST_CASE(at_its_ends_the_evidence_reaches_one_in_alpha,
                     data::make({0.05, 0.005}) * data::make({8U, 20U, 60U}), alpha, n) {
  std::mt19937 random{n};
  series values(n);
  for (auto& each : values) each = 0.02 + 0.01 * normal(random);
  const auto found = confidence_sequence(values, alpha);
  BOOST_REQUIRE(found.range.has_value());
  BOOST_TEST(evidence_against(found.range->low, values) == 1 / alpha, tt::tolerance(1e-9));
  BOOST_TEST(evidence_against(found.range->high, values) == 1 / alpha, tt::tolerance(1e-9));
  BOOST_TEST(found.value == (found.range->low + found.range->high) / 2, tt::tolerance(1e-9));
  BOOST_TEST(found.n == static_cast<int>(n));
}

BOOST_AUTO_TEST_CASE(from_ten_values_on_it_is_less_than_twice_as_wide_as_an_interval_for_one_look) {
  std::mt19937 random{1};
  series values;
  for (std::size_t n : {4U, 7U, 10U, 20U, 60U, 400U}) {
    while (values.size() < n) values.push_back(normal(random));
    const double wider = confidence_sequence(values).range->half_width() /
                         bench::paired_t_interval(values).range->half_width();
    BOOST_TEST(wider > 1.3);
    if (n >= 10) BOOST_TEST(wider < 2);
  }
}

BOOST_AUTO_TEST_CASE(its_p_value_is_the_alpha_at_which_an_end_is_at_0) {
  std::mt19937 random{1};
  series values(12);
  for (auto& each : values) each = 0.02 + 0.01 * normal(random);
  for (const double widening : {1.0, 1.5}) {
    const double p = bench::sequence_p(values, widening);
    BOOST_REQUIRE(p < 1);
    const auto found = bench::widened(confidence_sequence(values, p), widening);
    BOOST_TEST(found.range->low == 0, tt::tolerance(tt::fpc::percent_tolerance(1e-6)));
  }
  BOOST_TEST(bench::sequence_p(values) == 1 / evidence_against(0, values), tt::tolerance(1e-9));
  BOOST_TEST(bench::sequence_p({}) == 1);
  BOOST_TEST(bench::sequence_p(series{0.5}) == 1);
  BOOST_TEST(bench::sequence_p(series{0, 0}) == 1);
  BOOST_TEST(bench::sequence_p(series{0.5, 0.5}) == 0);
  BOOST_TEST(bench::sequence_p(series{-1, 1, -1, 1}) == 1);
}

BOOST_AUTO_TEST_CASE(the_first_interval_comes_with_the_fourth_value_or_later_for_a_smaller_alpha) {
  BOOST_TEST(bench::fewest_for_sequence() == 4U);
  BOOST_TEST(bench::fewest_for_sequence(0.005) == 5U);
  BOOST_TEST(bench::fewest_for_sequence(0.5) == 2U);
  const series values{1, 1.001, 1.002, 1.003, 1.004, 1.005, 1.006, 1.007};
  for (double alpha : {0.5, 0.05, 0.005})
    for (std::size_t n = 1; n <= values.size(); ++n) {
      const auto found = confidence_sequence(std::span{values}.first(n), alpha);
      BOOST_TEST(found.range.has_value() == (n >= bench::fewest_for_sequence(alpha)));
      if (found.range) BOOST_TEST(found.range->excludes(0));
    }
}

BOOST_AUTO_TEST_CASE(few_or_equal_values_have_no_width_to_speak_of) {
  BOOST_TEST(confidence_sequence({}).n == 0);
  BOOST_TEST(!confidence_sequence({}).range.has_value());
  const series one{0.5};
  BOOST_TEST(confidence_sequence(one).value == 0.5);
  BOOST_TEST(!confidence_sequence(one).range.has_value());
  const series equal(4, 0.5);
  BOOST_TEST(confidence_sequence(equal).range->half_width() == 0);
}
