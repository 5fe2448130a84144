// compare finds a server whose cost has changed, and reports no change if only the machine differs.
#include <bench/command/commands.hpp>
#include <bench/compare/compare.hpp>
#include <bench/text/failure.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>

#include <tests/bench/compare/synthetic_runs.hpp>

using bench::compare_runs;
using bench::gate_result;

BOOST_AUTO_TEST_CASE(the_same_truth_on_two_days_passes_a_gate) {
  auto other_day = quiet(2);
  other_day.kernel_drift = 0.03;
  const two_runs runs{quiet(1), other_day};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(change.rows.size() == 6U);
  BOOST_TEST(change.result == gate_result::passed);
  BOOST_TEST(exit_code_of(change.result) == 0);
}

BOOST_AUTO_TEST_CASE(a_regression_fails_the_gate_and_names_the_server) {
  const two_runs runs{quiet(1), slower(2, 400)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(change.result == gate_result::failed);
  BOOST_TEST(exit_code_of(change.result) == 1);
  const auto& row = row_of(change, "fibers/epoll");
  BOOST_TEST(row.gate == gate_result::failed);
  BOOST_TEST(row.anchor == "asio-callback/epoll");
  BOOST_TEST(row.words.starts_with("higher by "));
  BOOST_TEST(row_of(change, "fibers/select").gate == gate_result::passed);
}

BOOST_AUTO_TEST_CASE(without_a_gate_nothing_fails) {
  const two_runs runs{quiet(1), slower(2, 400)};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_TEST(change.result == gate_result::none);
  BOOST_TEST(exit_code_of(change.result) == 0);
}

BOOST_AUTO_TEST_CASE(an_improvement_passes_a_gate) {
  const two_runs runs{slower(1, 400), quiet(2)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(exit_code_of(change.result) == 0);
  BOOST_TEST(row_of(change, "fibers/epoll").words.starts_with("lower by "));
}

BOOST_AUTO_TEST_CASE(wide_intervals_are_inconclusive_under_a_gate) {
  const two_runs runs{{.rounds = 6, .seed = 1, .noise = 0.05, .control = false},
                      {.rounds = 6, .seed = 2, .noise = 0.05, .control = false}};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.005);
  BOOST_TEST(change.result == gate_result::inconclusive);
  BOOST_TEST(exit_code_of(change.result) == 4);
  BOOST_TEST(
      row_of(change, "fibers/epoll").words.starts_with("no change shown: the truth lies in ["));
}

BOOST_AUTO_TEST_CASE(a_machine_of_noise_grade_d_refuses_a_gate) {
  const two_runs runs{quiet(1), {.seed = 2, .noise = 0.2}};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(exit_code_of(change.result) == 4);
  BOOST_TEST(bench::comparison_text(change, {}).find("noise grade D, too noisy for a gate") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(noise_grade_d_refuses_a_gate_on_either_side_even_where_it_would_fail) {
  const synthetic_truth noisy{.seed = 2, .noise = 0.2};
  const two_runs runs{noisy, slower(1, 4000)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(row_of(change, "fibers/epoll").gate == gate_result::failed);
  BOOST_TEST(exit_code_of(change.result) == 4);
}

BOOST_AUTO_TEST_CASE(a_p_that_only_one_look_would_believe_fails_no_gate) {
  auto later = slower(10, 140);
  auto before = quiet(9);
  before.noise = later.noise = 0.02;
  before.rounds = later.rounds = 6;
  before.control = later.control = false;
  const two_runs runs{before, later};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.005);
  const auto& row = row_of(change, "fibers/epoll");
  BOOST_TEST_MESSAGE("p " << row.p << ", corrected " << row.holm_p << ", change " << row.change);
  BOOST_TEST(row.p < 0.05);
  BOOST_TEST(row.holm_p >= 0.05);
  BOOST_TEST(row.words.find("not significant after Holm") != std::string::npos, row.words);
  BOOST_TEST(row.change > 0.005);
  BOOST_TEST(row.gate == gate_result::inconclusive);
  BOOST_TEST(exit_code_of(change.result) == 4);
}

BOOST_AUTO_TEST_CASE(what_fails_a_gate_lies_above_it_with_its_whole_interval) {
  const auto only_row = [](const synthetic_truth& truth) {
    auto record = synthetic_run(truth);
    std::erase_if(record.blocks, [](const bench::block& each) {
      return each.kind != bench::block_kind::duet || each.control ||
             each.scenario.text() != "c64/512" || each.comparison.base != "asio-callback/epoll";
    });
    return record;
  };
  int failed = 0;
  int contained = 0;
  for (double by_ns = 100; by_ns <= 220; by_ns += 5) {
    auto before = quiet(1), later = slower(2, by_ns);
    before.noise = later.noise = 0.01;
    const history_of_runs runs{{only_row(before), only_row(later)}};
    const auto change = compare_runs(runs.paths, 0.03);
    BOOST_REQUIRE(change.rows.size() == 1U);
    const auto& row = change.rows.front();
    const bool above = row.range.low > 0.03;
    (above ? failed : contained) += 1;
    BOOST_TEST((row.gate == gate_result::failed) == above, by_ns << " ns: " << row.words);
  }
  BOOST_TEST(failed > 2);
  BOOST_TEST(contained > 2);
}

BOOST_AUTO_TEST_CASE(what_the_last_run_did_not_measure_passes_no_gate) {
  auto fewer = quiet(2);
  fewer.select_too = false;
  const two_runs runs{quiet(1), fewer};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(exit_code_of(change.result) == 4);
  BOOST_REQUIRE(change.gate_caveats.size() == 1U);
  BOOST_TEST(change.gate_caveats.front() ==
             "these rows of the first run are missing in the last or have fewer than two blocks: "
             "fibers/select on c1/64 against asio-callback/select, fibers/select on c256/64 "
             "against asio-callback/select, fibers/select on c64/512 against "
             "asio-callback/select");
  BOOST_TEST(says(bench::comparison_text(change, {}), "- these rows of the first run are missing"));
  BOOST_TEST(says(bench::comparison_markdown(change), "- these rows of the first run are missing"));
  BOOST_TEST(exit_code_of(compare_runs({runs.after(), runs.before()}, 0.03).result) == 0);
}

BOOST_AUTO_TEST_CASE(one_block_in_the_last_run_passes_no_gate) {
  auto shortened = synthetic_run(quiet(2));
  std::erase_if(shortened.blocks, [](const bench::block& each) {
    return each.round > 0 && each.scenario.text() == "c1/64" &&
           each.comparison.base == "asio-callback/select";
  });
  const two_runs runs{synthetic_run(quiet(1)), shortened};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(exit_code_of(change.result) == 4);
  BOOST_REQUIRE(change.gate_caveats.size() == 1U);
  BOOST_TEST(says(change.gate_caveats.front(), "two blocks: fibers/select on c1/64 against"));
}

BOOST_AUTO_TEST_CASE(a_failure_stands_whatever_else_is_missing) {
  auto fewer = slower(2, 400);
  fewer.select_too = false;
  const two_runs runs{quiet(1), fewer};
  BOOST_TEST(exit_code_of(compare_runs({runs.before(), runs.after()}, 0.03).result) == 1);
}

BOOST_AUTO_TEST_CASE(a_debug_build_on_either_side_neither_passes_nor_fails_a_gate) {
  for (const double by_ns : {0.0, 400.0})
    for (const bool first : {true, false}) {
      auto before = synthetic_run(quiet(1)), later = synthetic_run(slower(2, by_ns));
      (first ? before : later).caveats_found.push_back(bench::caveats::debug_build{"fibers/epoll"});
      const two_runs runs{before, later};
      const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
      BOOST_TEST(exit_code_of(change.result) == 4);
      BOOST_REQUIRE(change.gate_caveats.size() == 1U);
      BOOST_TEST(change.gate_caveats.front() ==
                 (first ? runs.before() : runs.after()).string() +
                     ": fibers/epoll is a debug or sanitizer build: its numbers mean nothing");
    }
}

BOOST_AUTO_TEST_CASE(a_margin_that_noise_widened_leaves_nothing_unchanged_that_shows_a_change) {
  const auto words = [](double swing, double by_ns) {
    auto before = quiet(1), later = slower(2, by_ns);
    before.control_swing = later.control_swing = swing;
    const two_runs runs{before, later};
    return row_of(compare_runs({runs.before(), runs.after()}), "fibers/epoll").words;
  };
  BOOST_TEST(words(0.05, 80).starts_with("tiny difference, below the margin of 2."));
  BOOST_TEST(words(0.05, 0).starts_with("unchanged (within 2."));
  BOOST_TEST(words(0.15, 0).starts_with("no change shown: the truth lies in ["));
}

BOOST_AUTO_TEST_CASE(an_empty_gate_or_run_is_refused_by_its_name) {
  const two_runs runs{quiet(1), slower(2, 400)};
  const auto before = runs.before().string(), after = runs.after().string();
  const auto names = [](const std::string& what) {
    return [=](const std::exception& error) { return says(error.what(), what); };
  };
  BOOST_CHECK_EXCEPTION(bench::compare_command({before, after, "--gate", ""}), bench::usage_error,
                        names("--gate ''"));
  BOOST_CHECK_EXCEPTION(bench::compare_command({before, after, "--gate="}), bench::usage_error,
                        names("--gate"));
  BOOST_CHECK_EXCEPTION(bench::compare_command({"", after}), bench::usage_error,
                        names("'' is no run"));
  BOOST_CHECK_EXCEPTION(bench::compare_command({before, ""}), bench::usage_error,
                        names("'' is no run"));
}

BOOST_AUTO_TEST_CASE(the_change_and_its_interval_are_those_of_what_was_planted) {
  const two_runs runs{quiet(1), slower(2, 400)};
  const auto change = compare_runs({runs.before(), runs.after()});
  const auto& row = row_of(change, "fibers/epoll");
  const double kernel_ns = 4000 + 3000.0 / 64 + 512 * 0.12;
  const double planted = (kernel_ns + 455) / (kernel_ns + 55) - 1;
  BOOST_TEST(!row.range.excludes(planted));
  BOOST_TEST(row.range.half_width() < 0.01);
}

BOOST_AUTO_TEST_CASE(another_machine_on_the_way_is_noted) {
  auto elsewhere = synthetic_run(quiet(2));
  elsewhere.header.machine.cpu_model = "Another CPU";
  const history_of_runs runs{{synthetic_run(quiet(1)), elsewhere, synthetic_run(quiet(3))}};
  const auto change = compare_runs(runs.paths);
  BOOST_TEST(change.machine_differences.empty());
  BOOST_REQUIRE(change.notes.size() == 1U);
  BOOST_TEST(change.notes[0] == runs.paths[1].string() + ": another machine or build than " +
                                    runs.paths[0].string() +
                                    ": cpu_model: \"Imaginary CPU 3000\" -> \"Another CPU\"");
}

BOOST_AUTO_TEST_CASE(a_void_run_is_compared_with_nothing) {
  auto wrong = synthetic_run(quiet(2));
  wrong.caveats_found.push_back(bench::caveats::run_void{"mine: wrong reply"});
  const history_of_runs runs{{synthetic_run(quiet(1)), wrong, synthetic_run(quiet(3))}};
  BOOST_CHECK_EXCEPTION(
      compare_runs(runs.paths), bench::nothing_to_compare,
      [&](const auto& error) { return says(error.what(), runs.paths[1].string() + ": "); });
}

BOOST_AUTO_TEST_CASE(another_machine_makes_raw_numbers_not_comparable_but_not_the_ratios) {
  auto other = synthetic_run(quiet(2));
  other.header.machine.kernel = "6.12";
  const two_runs runs{synthetic_run(quiet(1)), other};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_REQUIRE(change.machine_differences.size() == 1U);
  BOOST_TEST(change.machine_differences[0] == "kernel: \"6.1.0-imaginary\" -> \"6.12\"");
  BOOST_TEST(bench::comparison_text(change, {}).find("NOT comparable") != std::string::npos);
  BOOST_TEST(change.rows.size() == 6U);
}

BOOST_AUTO_TEST_CASE(holms_correction_is_stricter_than_one_test_and_keeps_the_order) {
  const two_runs runs{quiet(1), quiet(2)};
  const auto change = compare_runs({runs.before(), runs.after()});
  double smallest = 1, smallest_corrected = 1;
  for (const auto& row : change.rows) {
    BOOST_TEST(row.holm_p >= row.p);
    BOOST_TEST(row.holm_p <= 1);
    smallest = std::min(smallest, row.p);
    smallest_corrected = std::min(smallest_corrected, row.holm_p);
  }
  BOOST_TEST(smallest_corrected == std::min(1.0, 6 * smallest), boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(what_only_one_run_has_is_noted_and_left_out) {
  auto fewer = quiet(2);
  fewer.select_too = false;
  const two_runs runs{quiet(1), fewer};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_TEST(change.rows.size() == 3U);
  BOOST_TEST(change.notes.size() == 3U);
  BOOST_TEST(change.notes[0] ==
             "fibers/select on c1/64 against asio-callback/select: only in the first run");
}

BOOST_AUTO_TEST_CASE(runs_with_nothing_in_common_cannot_be_compared) {
  const two_runs runs{quiet(1), {.rounds = 0}};
  BOOST_CHECK_THROW(compare_runs({runs.before(), runs.after()}), bench::nothing_to_compare);
}

BOOST_AUTO_TEST_CASE(a_change_that_is_certain_but_perhaps_below_the_gate_does_not_fail_it) {
  auto later = slower(10, 220);
  auto before = quiet(9);
  before.noise = later.noise = 0.02;
  const two_runs runs{before, later};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  const auto& row = row_of(change, "fibers/epoll");
  BOOST_TEST_MESSAGE(row.words << ", gate p " << row.gate_p);
  BOOST_TEST(row.holm_p < 0.05);
  BOOST_TEST(row.change > 0.03);
  BOOST_TEST(row.range.low < 0.03);
  BOOST_TEST(row.gate == gate_result::inconclusive);
}
