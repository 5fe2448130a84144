// A history marks each run in which a ratio has changed, and no other run.
#include <bench/compare/compare.hpp>
#include <bench/compare/history.hpp>

#include <boost/test/unit_test.hpp>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>

#include <tests/bench/compare/synthetic_runs.hpp>

using bench::compare_runs;

namespace {

const bench::history_row& history_row_of(const bench::run_comparison& change,
                                         std::string_view server) {
  for (const auto& row : change.history)
    if (row.about.server == server && row.about.scenario == "c64/512") return row;
  throw std::logic_error{"no such row: " + std::string{server}};
}

// One letter per run: '*' changed, '.' unchanged, '-' not measured.
std::string marks_of(const bench::history_row& row) {
  std::string marks;
  for (const auto& each : row.points) marks += !each ? '-' : each->changed ? '*' : '.';
  return marks;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_history_marks_the_run_in_which_it_changed) {
  const history_of_runs runs{{synthetic_run(quiet(1)), synthetic_run(quiet(2)),
                              synthetic_run(slower(3, 400)), synthetic_run(slower(4, 400))}};
  const auto change = compare_runs(runs.paths, 0.03);
  BOOST_TEST(marks_of(history_row_of(change, "fibers/epoll")) == "..*.");
  BOOST_TEST(marks_of(history_row_of(change, "fibers/select")) == "....");
  BOOST_TEST(history_row_of(change, "fibers/epoll").points[3]->ratio ==
                 row_of(change, "fibers/epoll").ratio_after,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(exit_code_of(change.result) == 1);
  const auto text = bench::comparison_text(change, {});
  BOOST_TEST(std::regex_search(
      text, std::regex{"\nc64/512 +fibers/epoll +0\\.\\d+ +0\\.\\d+ +0\\.\\d+\\* +0\\.\\d+\n"}));
  BOOST_TEST(says(text, "Gate 3.0 %, the first run against the last: FAILED"));
  const two_runs two{quiet(1), quiet(2)};
  BOOST_TEST(compare_runs({two.before(), two.after()}).history.empty());
}

BOOST_AUTO_TEST_CASE(a_gate_over_many_runs_is_the_first_against_the_last) {
  const history_of_runs runs{
      {synthetic_run(quiet(1)), synthetic_run(slower(2, 400)), synthetic_run(quiet(3))}};
  const auto change = compare_runs(runs.paths, 0.03);
  BOOST_TEST(exit_code_of(change.result) == 0);
  BOOST_TEST(marks_of(history_row_of(change, "fibers/epoll")) == ".**");
}

BOOST_AUTO_TEST_CASE(a_change_within_the_margin_is_not_marked_however_sure) {
  auto steady = quiet(1), later = slower(2, 30), last = quiet(3);  // by 0.7 %
  for (auto* each : {&steady, &later, &last}) each->noise = 0.0003, each->rounds = 20;
  const history_of_runs runs{{synthetic_run(steady), synthetic_run(later), synthetic_run(last)}};
  BOOST_TEST(marks_of(history_row_of(compare_runs(runs.paths), "fibers/epoll")) == "...");
  const auto step = compare_runs({runs.paths[0], runs.paths[1]});
  BOOST_TEST(row_of(step, "fibers/epoll").holm_p < 1e-6);
}

BOOST_AUTO_TEST_CASE(what_a_run_did_not_measure_is_a_gap_and_the_next_is_held_to_the_one_before) {
  auto fewer = quiet(2), later = quiet(3);
  fewer.select_too = false;
  later.library_ns["fibers/select"] += 600;
  const history_of_runs runs{{synthetic_run(quiet(1)), synthetic_run(fewer), synthetic_run(later)}};
  const auto change = compare_runs(runs.paths);
  BOOST_TEST(marks_of(history_row_of(change, "fibers/select")) == ".-*");
  BOOST_TEST(says(bench::comparison_markdown(change), " | - | "));
}
