// A history marks each run in which a ratio has changed, and no other run.
#include <bench/compare/compare.hpp>
#include <bench/compare/history.hpp>

#include <boost/test/unit_test.hpp>
#include <regex>
#include <string>
#include <vector>

#include <tests/bench/compare/synthetic_runs.hpp>

using bench::compare_runs;

namespace {

// One letter per run: '*' changed, '.' unchanged, '-' not measured.
std::string marks_of(const bench::change_row& row) {
  std::string marks;
  for (const auto& each : row.points) marks += !each ? '-' : each->stepped ? '*' : '.';
  return marks;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_history_marks_the_run_in_which_it_stepped) {
  const history_of_runs runs{{synthetic_run(quiet(1)), synthetic_run(quiet(2)),
                              synthetic_run(slower(3, 900)), synthetic_run(slower(4, 900))}};
  const auto change = compare_runs(runs.paths, 0.03);
  BOOST_TEST(marks_of(row_of(change, "fibers/epoll")) == "..*.");
  BOOST_TEST(marks_of(row_of(change, "fibers/select")) == "....");
  BOOST_TEST(
      row_of(change, "fibers/epoll").points[3]->ratio == row_of(change, "fibers/epoll").ratio_after,
      boost::test_tools::tolerance(1e-12));
  const auto text = bench::comparison_text(change, {});
  BOOST_TEST(
      std::regex_search(
          text, std::regex{"\nc64/512 +fibers/epoll +0\\.\\d+ +0\\.\\d+ +1\\.\\d+\\* +1\\.\\d+\n"}),
      text);
  BOOST_TEST(says(text, "\nRuns 1 to 3 against run 4\n"));
}

BOOST_AUTO_TEST_CASE(a_step_that_runs_of_one_program_may_make_is_not_marked) {
  auto steady = quiet(1), later = slower(2, 150), last = quiet(3);  // by 3.6 %
  for (auto* each : {&steady, &later, &last}) each->noise = 0.0003, each->rounds = 20;
  const history_of_runs runs{{synthetic_run(steady), synthetic_run(later), synthetic_run(last)}};
  BOOST_TEST(marks_of(row_of(compare_runs(runs.paths), "fibers/epoll")) == "...");
}

BOOST_AUTO_TEST_CASE(a_step_that_the_blocks_of_a_run_may_make_is_not_marked) {
  const auto marks = [](double block_error) {
    bench::change_row row;
    row.points = {bench::run_point{1.0, block_error}, bench::run_point{1.2, block_error}};
    std::vector<bench::change_row> rows{row};
    bench::mark_steps(rows, 0.01);
    return marks_of(rows.front());
  };
  BOOST_TEST(marks(0.001) == ".*");
  BOOST_TEST(marks(0.1) == "..");
}

BOOST_AUTO_TEST_CASE(what_a_run_did_not_measure_is_a_gap_and_the_next_is_held_to_the_one_before) {
  auto fewer = quiet(2), later = quiet(3);
  fewer.select_too = false;
  later.library_ns["fibers/select"] += 1800;
  const history_of_runs runs{{synthetic_run(quiet(1)), synthetic_run(fewer), synthetic_run(later)}};
  const auto change = compare_runs(runs.paths);
  BOOST_TEST(marks_of(row_of(change, "fibers/select")) == ".-*");
  BOOST_TEST(says(bench::comparison_markdown(change), " | - | "));
}
