// compare finds a server whose cost has changed, and reports no change if only the machine differs.
#include <bench/command/commands.hpp>
#include <bench/compare/compare.hpp>
#include <bench/text/failure.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <tests/bench/compare/synthetic_runs.hpp>
#include <tests/bench/with_hosts.hpp>

using bench::compare_runs;
using bench::gate_result;

namespace {

// Of an answer, whatever the runs were.
struct answer {
  gate_result result;
  int exit_code;
};

answer answer_of(const std::vector<std::filesystem::path>& runs) {
  const auto result = compare_runs(runs, 0.03).result;
  return {result, exit_code_of(result)};
}

// 20 % on each load: more than what may differ between two runs anyway.
constexpr double much_ns = 900;

}  // namespace

BOOST_AUTO_TEST_CASE(the_same_truth_on_two_days_passes_a_gate) {
  auto other_day = quiet(2);
  other_day.kernel_drift = 0.03;
  const two_runs runs{quiet(1), other_day};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(rows_of(change, bench::quantity::cpu) == 6U);
  BOOST_TEST(change.result == gate_result::passed);
  BOOST_TEST(exit_code_of(change.result) == 0);
}

BOOST_AUTO_TEST_CASE(a_regression_fails_the_gate_and_names_the_server) {
  const two_runs runs{quiet(1), slower(2, much_ns)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(exit_code_of(change.result) == 1);
  const auto& row = row_of(change, "fibers/epoll");
  BOOST_TEST(row.about.anchor == "asio-callback/epoll");
  BOOST_TEST(row.judged.words.starts_with("higher by "));
  BOOST_TEST(row_of(change, "fibers/select").judged.words.starts_with("no change shown"));
  const auto text = bench::comparison_text(change, {});
  BOOST_TEST(says(text, "Gate 3.0 %: FAILED; CPU per message +"));
  BOOST_TEST(says(
      text, "CPU per message of fibers/epoll against asio-callback/epoll, 3 loads: higher by"));
}

BOOST_AUTO_TEST_CASE(an_improvement_passes_a_gate) {
  const two_runs runs{slower(1, much_ns), quiet(2)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(exit_code_of(change.result) == 0);
  BOOST_TEST(row_of(change, "fibers/epoll").judged.words.starts_with("lower by "));
}

// Two runs of one program, minutes apart, once differed by 7 % where their blocks said [3.5, 10.1].
BOOST_AUTO_TEST_CASE(
    two_runs_that_differ_by_what_runs_of_one_program_may_are_not_called_different) {
  const two_runs runs{quiet(1), slower(2, 150)};  // 3.6 %, far outside the spread of the blocks
  const auto change = compare_runs({runs.before(), runs.after()});
  const auto& row = row_of(change, "fibers/epoll");
  BOOST_TEST(row.judged.change > 0.03);
  BOOST_TEST(row.judged.words.starts_with("no change shown"), row.judged.words);
  BOOST_TEST(bench::spread_text(change).starts_with(
      "from run to run of one program a ratio moves, as is assumed below three earlier runs "
      "(prior): CPU per message by 2.0 %"));
}

BOOST_AUTO_TEST_CASE(the_same_difference_is_named_where_earlier_runs_hardly_differed) {
  std::vector<bench::run_record> records;
  for (unsigned seed = 1; seed <= 4; ++seed) records.push_back(synthetic_run(quiet(seed)));
  records.push_back(synthetic_run(slower(5, 150)));
  const history_of_runs runs{records};
  const auto change = compare_runs(runs.paths);
  const auto& row = row_of(change, "fibers/epoll");
  BOOST_TEST(row.judged.words.starts_with("higher by 3."), row.judged.words);
  BOOST_TEST(!row.judged.range.excludes(150.0 / (4000 + 3000.0 / 64 + 512 * 0.12 + 55)));
  BOOST_TEST(says(bench::comparison_text(change, {}), "as the 4 earlier runs show"));
}

// In the control nothing differs, so what it read says how far a ratio may move.
BOOST_AUTO_TEST_CASE(a_row_may_move_as_far_as_the_control_of_a_run_was_from_nothing) {
  const auto half_width = [](double factor) {
    auto later = synthetic_run(quiet(2));
    for (auto& block : later.blocks)
      if (block.control)
        for (auto& timed : block.slices)
          if (timed.launch == 1) *timed.cpu_ns *= factor;
    const two_runs runs{synthetic_run(quiet(1)), later};
    return row_of(compare_runs({runs.before(), runs.after()}), "fibers/epoll")
        .judged.range.half_width();
  };
  BOOST_TEST(half_width(1.1) > 4 * half_width(1));
}

BOOST_AUTO_TEST_CASE(an_earlier_run_that_is_named_twice_is_refused) {
  const history_of_runs runs{{synthetic_run(quiet(1)), synthetic_run(quiet(2))}};
  const auto& one = runs.paths[0];
  BOOST_CHECK_EXCEPTION(
      compare_runs({one, one, runs.paths[1]}), bench::nothing_to_compare, [&](const auto& error) {
        return says(error.what(), one.string() + " holds the same run as " + one.string());
      });
  BOOST_TEST(rows_of(compare_runs({one, one}), bench::quantity::cpu) == 6U);
}

BOOST_AUTO_TEST_CASE(a_gate_that_one_row_fails_names_it) {
  std::vector<bench::run_record> records;
  for (unsigned seed = 1; seed <= 4; ++seed) records.push_back(synthetic_run(quiet(seed)));
  auto later = synthetic_run(quiet(5));
  for (auto& block : later.blocks)
    if (block.scenario.text() == "c64/512" && block.comparison.base == "asio-callback/epoll")
      for (auto& timed : block.slices)
        if (timed.server == "fibers/epoll") *timed.cpu_ns *= 1.1;
  records.push_back(later);
  const history_of_runs runs{records};
  const auto change = compare_runs(runs.paths, 0.05);
  BOOST_TEST(exit_code_of(change.result) == 1);
  BOOST_TEST(change.gate.value().at_most < 0.05);
  BOOST_REQUIRE(change.gate->reasons.size() == 1U);
  BOOST_TEST(change.gate->reasons.front() ==
             "CPU per message of fibers/epoll on c64/512 against asio-callback/epoll: above the "
             "gate by itself with 95 % certainty");
}

BOOST_AUTO_TEST_CASE(a_gate_below_what_two_runs_can_tell_is_inconclusive) {
  const two_runs runs{quiet(1), quiet(2)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.005);
  BOOST_TEST(change.result == gate_result::inconclusive);
  BOOST_TEST(exit_code_of(change.result) == 4);
}

BOOST_AUTO_TEST_CASE(noise_grade_d_refuses_a_gate_on_either_side_even_where_it_would_fail) {
  const two_runs runs{{.seed = 2, .noise = 0.2}, slower(1, 4000)};
  BOOST_TEST(answer_of({runs.before(), runs.after()}).exit_code == 4);
}

BOOST_AUTO_TEST_CASE(what_the_last_run_did_not_measure_passes_no_gate_and_hides_no_failure) {
  auto fewer = quiet(2), slower_too = slower(2, 2 * much_ns);
  fewer.select_too = slower_too.select_too = false;
  const two_runs runs{quiet(1), fewer};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(exit_code_of(change.result) == 4);
  BOOST_REQUIRE(change.gate.value().reasons.size() == 1U);
  const auto& reason = change.gate->reasons.front();
  BOOST_TEST(reason.starts_with("the last run lacks, or has fewer than two blocks of: CPU per "
                                "message of fibers/select on c1/64 against"),
             reason);
  BOOST_TEST(says(bench::comparison_text(change, {}), "- the last run lacks"));
  BOOST_TEST(says(bench::comparison_markdown(change), "- the last run lacks"));
  BOOST_TEST(answer_of({runs.after(), runs.before()}).exit_code == 0);
  const two_runs failing{quiet(1), slower_too};
  BOOST_TEST(answer_of({failing.before(), failing.after()}).exit_code == 1);
}

BOOST_AUTO_TEST_CASE(one_block_in_the_last_run_passes_no_gate) {
  auto shortened = synthetic_run(quiet(2));
  std::erase_if(shortened.blocks, [](const bench::block& each) {
    return each.round > 0 && each.scenario.text() == "c1/64" &&
           each.comparison.base == "asio-callback/select";
  });
  const two_runs runs{synthetic_run(quiet(1)), shortened};
  BOOST_TEST(answer_of({runs.before(), runs.after()}).exit_code == 4);
}

BOOST_AUTO_TEST_CASE(a_debug_build_on_either_side_neither_passes_nor_fails_a_gate) {
  for (const double by_ns : {0.0, 2 * much_ns})
    for (const bool first : {true, false}) {
      auto before = synthetic_run(quiet(1)), later = synthetic_run(slower(2, by_ns));
      (first ? before : later).caveats_found.push_back(bench::caveats::debug_build{"fibers/epoll"});
      const two_runs runs{before, later};
      const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
      BOOST_TEST(exit_code_of(change.result) == 4);
      BOOST_REQUIRE(change.gate.value().reasons.size() == 1U);
      BOOST_TEST(change.gate->reasons.front() ==
                 (first ? runs.before() : runs.after()).string() +
                     ": fibers/epoll is a debug or sanitizer build: its numbers mean nothing");
    }
}

BOOST_AUTO_TEST_CASE(runs_without_cpu_in_common_pass_no_gate) {
  const auto without_cpu = [](unsigned seed) {
    auto record = synthetic_run(quiet(seed));
    for (auto& block : record.blocks)
      for (auto& timed : block.slices) timed.cpu_ns.reset();
    return record;
  };
  const two_runs runs{without_cpu(1), without_cpu(2)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(exit_code_of(change.result) == 4);
  BOOST_TEST(change.gate.value().reasons.front() == "the runs have no CPU per message in common");
}

BOOST_AUTO_TEST_CASE(rows_and_means_of_all_quantities_are_one_family) {
  const two_runs runs{quiet(1), quiet(2)};
  const auto change = compare_runs({runs.before(), runs.after()});
  double smallest = 1, smallest_corrected = 1;
  const auto look = [&](const bench::judged_change& each) {
    BOOST_TEST(each.holm_p >= each.p);
    BOOST_TEST(each.holm_p <= 1);
    smallest = std::min(smallest, each.p);
    smallest_corrected = std::min(smallest_corrected, each.holm_p);
  };
  for (const auto& row : change.rows) look(row.judged);
  for (const auto& row : change.means) look(row.judged);
  const auto family = static_cast<double>(change.rows.size() + change.means.size());
  BOOST_TEST(smallest_corrected == std::min(1.0, family * smallest),
             boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(what_only_one_run_has_is_noted_and_left_out) {
  auto fewer = quiet(2);
  fewer.select_too = false;
  const two_runs runs{quiet(1), fewer};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_TEST(rows_of(change, bench::quantity::cpu) == 3U);
  BOOST_TEST(change.notes.front() ==
             "CPU per message of fibers/select on c1/64 against asio-callback/select: not in the "
             "last run");
}

BOOST_AUTO_TEST_CASE(another_machine_makes_raw_numbers_not_comparable_but_not_the_ratios) {
  auto other = synthetic_run(quiet(2));
  other.header.machine.kernel = "6.12";
  const two_runs runs{synthetic_run(quiet(1)), other};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_REQUIRE(change.machine_differences.size() == 1U);
  BOOST_TEST(change.machine_differences[0] == "kernel: \"6.1.0-imaginary\" -> \"6.12\"");
  BOOST_TEST(says(bench::comparison_text(change, {}), "NOT comparable"));
  BOOST_TEST(rows_of(change, bench::quantity::cpu) == 6U);
}

BOOST_AUTO_TEST_CASE(load_from_other_hosts_makes_raw_numbers_not_comparable_but_not_the_ratios) {
  const auto from_hosts = with_hosts(synthetic_run(quiet(2)));
  const two_runs runs{synthetic_run(quiet(1)), from_hosts};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_REQUIRE(change.machine_differences.size() == 1U);
  BOOST_TEST(change.machine_differences[0].starts_with(
      "load: from the servers' machine -> load from 3 hosts, 6 generators (a 2, b 3, c 1); a: 2"));
  BOOST_TEST(rows_of(change, bench::quantity::cpu) == 6U);
  const two_runs same{with_hosts(synthetic_run(quiet(1))), from_hosts};
  BOOST_TEST(compare_runs({same.before(), same.after()}).machine_differences.empty());
}

BOOST_AUTO_TEST_CASE(of_several_earlier_runs_the_one_on_another_machine_is_named) {
  auto elsewhere = synthetic_run(quiet(2));
  elsewhere.header.machine.cpu_model = "Another CPU";
  const history_of_runs runs{{synthetic_run(quiet(1)), elsewhere, synthetic_run(quiet(3))}};
  const auto change = compare_runs(runs.paths);
  BOOST_REQUIRE(change.machine_differences.size() == 1U);
  BOOST_TEST(change.machine_differences[0] ==
             runs.paths[1].string() + ": cpu_model: \"Another CPU\" -> \"Imaginary CPU 3000\"");
}

BOOST_AUTO_TEST_CASE(without_a_gate_nothing_fails) {
  const two_runs runs{quiet(1), slower(2, 400)};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_TEST(change.result == gate_result::none);
  BOOST_TEST(exit_code_of(change.result) == 0);
}

BOOST_AUTO_TEST_CASE(a_machine_of_noise_grade_d_refuses_a_gate) {
  const two_runs runs{quiet(1), {.seed = 2, .noise = 0.2}};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(exit_code_of(change.result) == 4);
  BOOST_TEST(bench::comparison_text(change, {}).find("noise grade D, too noisy for a gate") !=
             std::string::npos);
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

BOOST_AUTO_TEST_CASE(a_void_run_is_compared_with_nothing) {
  auto wrong = synthetic_run(quiet(2));
  wrong.caveats_found.push_back(bench::caveats::run_void{"mine: wrong reply"});
  const history_of_runs runs{{synthetic_run(quiet(1)), wrong, synthetic_run(quiet(3))}};
  BOOST_CHECK_EXCEPTION(
      compare_runs(runs.paths), bench::nothing_to_compare,
      [&](const auto& error) { return says(error.what(), runs.paths[1].string() + ": "); });
}

BOOST_AUTO_TEST_CASE(a_run_without_a_verdict_is_compared_with_nothing) {
  auto ruined = synthetic_run(quiet(2));
  for (auto& each : ruined.blocks) each.foreign_cpu_share = 0.5;
  const history_of_runs runs{{synthetic_run(quiet(1)), ruined}};
  BOOST_CHECK_EXCEPTION(
      compare_runs(runs.paths), bench::nothing_to_compare, [&](const auto& error) {
        return says(error.what(),
                    runs.paths[1].string() + ": no verdict: other programs took 50 %");
      });
}

BOOST_AUTO_TEST_CASE(runs_with_nothing_in_common_cannot_be_compared) {
  const two_runs runs{quiet(1), {.rounds = 0}};
  BOOST_CHECK_THROW(compare_runs({runs.before(), runs.after()}), bench::nothing_to_compare);
}
