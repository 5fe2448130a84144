// What moves from run to run is part of every interval, and a gate still tells 5 % from nothing.
#include <bench/compare/between_runs.hpp>
#include <bench/compare/gate.hpp>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <tests/sanitized.hpp>

using bench::between_runs;
using bench::gate_result;
using bench::row_in_runs;

namespace {

constexpr int comparisons = sanitized ? 100 : 400;

struct truth {
  int earlier_runs = 3;
  int rows = 11;
  double blocks = 0.02;  // spread of the blocks, of which a run has ten
  double between = 0.02;
  double in_common = 0;  // moves all rows of a run
  double change = 0;     // of the last run, as a logarithm
};

std::vector<row_in_runs> rows_of(const truth& of, std::mt19937& random) {
  std::normal_distribution<double> normal;
  const double block_error = of.blocks / std::sqrt(10.0);
  std::vector<row_in_runs> rows(static_cast<std::size_t>(of.rows));
  for (int run = 0; run <= of.earlier_runs; ++run) {
    const double in_common = of.in_common * normal(random);
    for (auto& row : rows) {
      const double value = in_common + std::hypot(of.between, block_error) * normal(random);
      row.block_error = block_error;
      if (run < of.earlier_runs)
        row.before.push_back(value);
      else
        row.after = value + of.change;
    }
  }
  return rows;
}

double share_of(gate_result wanted, const truth& of) {
  std::mt19937 random{2026};
  int count = 0;
  for (int i = 0; i < comparisons; ++i) {
    const auto rows = rows_of(of, random);
    count += judge_gate(between_runs{rows, 0.02}, rows, 0.03).result == wanted ? 1 : 0;
  }
  return static_cast<double>(count) / comparisons;
}

// The share of comparisons of equal programs that name a difference of any row.
double share_of_false_words(const truth& of) {
  std::mt19937 random{2027};
  int count = 0;
  for (int i = 0; i < comparisons; ++i) {
    const auto rows = rows_of(of, random);
    const between_runs model{rows, 0.02};
    std::vector<double> probabilities;
    for (const auto& row : rows) probabilities.push_back(model.change(row).p());
    for (const double p : bench::holm_corrected(probabilities))
      if (p < bench::significance) {
        ++count;
        break;
      }
  }
  return static_cast<double>(count) / comparisons;
}

// The share of comparisons of equal programs that call the mean over rows different.
double share_of_false_means(const truth& of) {
  std::mt19937 random{2028};
  int count = 0;
  for (int i = 0; i < comparisons; ++i) {
    const auto rows = rows_of(of, random);
    std::vector<const row_in_runs*> all;
    for (const auto& row : rows) all.push_back(&row);
    count += between_runs{rows, 0.02}.mean_change(all).p() < bench::significance ? 1 : 0;
  }
  return static_cast<double>(count) / comparisons;
}

// By so much a share of 95 % may look smaller in so many comparisons: two standard errors.
const double chance = 2 * std::sqrt(0.95 * 0.05 / comparisons);

constexpr double five_percent = 0.0488;  // ln(1.05)

}  // namespace

BOOST_AUTO_TEST_CASE(unchanged_programs_pass_a_gate_and_five_percent_more_is_caught) {
  for (const double blocks : {0.007, 0.02})
    for (const double between : {0.0, 0.01, 0.02})
      for (const int earlier : {1, 2, 3, 5}) {
        const truth unchanged{.earlier_runs = earlier, .blocks = blocks, .between = between};
        auto worse = unchanged;
        worse.change = five_percent;
        BOOST_TEST_CONTEXT(earlier << " runs, " << blocks << " and " << between) {
          BOOST_TEST(share_of(gate_result::passed, unchanged) >= 0.95 - chance);
          BOOST_TEST(share_of(gate_result::failed, unchanged) <= 0.01);
          if (earlier >= 3) BOOST_TEST(share_of(gate_result::failed, worse) >= 0.9 - chance);
        }
      }
}

BOOST_AUTO_TEST_CASE(one_comparison_in_twenty_of_equal_programs_names_a_difference_at_most) {
  for (const double between : {0.0, 0.01, 0.02})
    for (const int earlier : {1, 2, 3, 5}) {
      const double found = share_of_false_words({.earlier_runs = earlier, .between = between});
      BOOST_TEST(found <= 0.05 + chance, earlier << " runs at " << between << ": " << found);
    }
}

// What moves all rows of a run does not average out over them, so a gate may not believe the mean.
BOOST_AUTO_TEST_CASE(where_all_rows_move_together_few_unchanged_programs_fail_a_gate) {
  const truth together{.earlier_runs = 6, .blocks = 0.007, .between = 0.004, .in_common = 0.02};
  BOOST_TEST(share_of(gate_result::failed, together) <= 0.05);
  for (const int earlier : {1, 2}) {  // too few to see it
    auto few = together;
    few.earlier_runs = earlier;
    BOOST_TEST(share_of(gate_result::failed, few) <= 0.05);
    BOOST_TEST(share_of_false_means(few) <= 0.05 + chance);
  }
  std::mt19937 random{1};
  const auto rows = rows_of(together, random);
  const between_runs model{rows, 0.02};
  BOOST_TEST(model.spread().common > 0.005);
  BOOST_TEST(model.spread().freedom == 5);
  BOOST_TEST((between_runs{rows_of({.earlier_runs = 6}, random), 0.02}.spread().common == 0));
}

BOOST_AUTO_TEST_CASE(below_three_earlier_runs_the_prior_holds_beside_what_the_blocks_say) {
  const std::vector<row_in_runs> rows{{{0.00, 0.02}, 0.05, 0.03}};
  const between_runs model{rows, 0.04};
  BOOST_TEST(model.spread().is_prior);
  const auto change = model.change(rows[0]);
  BOOST_TEST(change.value == 0.04, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(change.standard_error == 0.05 * std::sqrt(1.5), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(change.freedom == std::numeric_limits<double>::infinity());
}

BOOST_AUTO_TEST_CASE(from_three_earlier_runs_on_what_moved_between_them_is_taken) {
  const std::vector<row_in_runs> rows{{{0.01, 0.02, 0.03}, 0.03, 0.001},
                                      {{0.05, 0.03, 0.04}, 0.05, 0.001}};
  const between_runs model{rows, 0.5};
  BOOST_TEST(!model.spread().is_prior);
  BOOST_TEST(model.spread().own == 0.01, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(model.spread().freedom == 4);
  const auto mean = model.mean_change({&rows[0], &rows[1]});
  BOOST_TEST(mean.value == 0.01, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(mean.standard_error == 0.01 * std::sqrt(4.0 / 3 / 2),
             boost::test_tools::tolerance(1e-9));
}

// The error of two or three blocks is itself hardly known.
BOOST_AUTO_TEST_CASE(few_blocks_make_an_interval_wider_than_their_error_alone_does) {
  row_in_runs known{{0.0}, 0.1, 0.1};
  auto few = known;
  few.block_freedom = 2;
  const std::vector<row_in_runs> rows{known, few};
  const between_runs model{rows, 0.02};
  const auto sure = model.change(rows[0]), unsure = model.change(rows[1]);
  BOOST_TEST(sure.standard_error == unsure.standard_error);
  BOOST_TEST(unsure.freedom < 3);
  BOOST_TEST(unsure.range().half_width() > 1.5 * sure.range().half_width());
}

// Three equal values by chance, or the control of a run, say that a row moves by more.
BOOST_AUTO_TEST_CASE(a_row_moves_at_least_as_much_as_its_blocks_and_the_control_say) {
  const std::vector<row_in_runs> rows{{{0.01, 0.01, 0.01}, 0.02, 0.03}};
  const between_runs by_blocks{rows, 0.02}, by_control{rows, 0.02, 0.06};
  BOOST_TEST(by_blocks.change(rows[0]).standard_error == 0.03 * std::sqrt(4.0 / 3),
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(by_control.change(rows[0]).standard_error == 0.06 * std::sqrt(4.0 / 3),
             boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(one_row_that_is_surely_slower_fails_a_gate_that_the_mean_would_pass) {
  std::mt19937 random{3};
  auto rows = rows_of({.blocks = 0.005, .between = 0.002}, random);
  BOOST_TEST((judge_gate(between_runs{rows, 0.02}, rows, 0.03).result == gate_result::passed));
  rows[4].after += 0.1;
  BOOST_TEST((judge_gate(between_runs{rows, 0.02}, rows, 0.03).result == gate_result::failed));
}
