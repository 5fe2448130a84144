// The comparison as a Markdown table, for pull requests.
#include <bench/compare/compare.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>

#include <tests/bench/compare/synthetic_runs.hpp>

using bench::compare_runs;

BOOST_AUTO_TEST_CASE(the_markdown_has_a_column_a_run_and_says_what_the_gate_said) {
  const history_of_runs runs{
      {synthetic_run(quiet(1)), synthetic_run(quiet(2)), synthetic_run(slower(3, 400))}};
  const auto text = bench::comparison_markdown(compare_runs(runs.paths, 0.03));
  BOOST_TEST(says(text, "| scenario | server | anchor | run 1 | run 2 | run 3 | first to last, %"));
  BOOST_TEST(says(text, "Gate 3.0 %, the first run against the last: **failed**."));
  BOOST_TEST(says(text, " \\* | +"));
  BOOST_TEST(says(text, "| higher by "));
  std::size_t rows = 0;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with('|')) continue;
    ++rows;
    BOOST_TEST(std::count(line.begin(), line.end(), '|') == 10);
  }
  BOOST_TEST(rows == 2U + 6);
}
