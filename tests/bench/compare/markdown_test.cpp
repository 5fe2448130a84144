// The comparison as Markdown, for pull requests.
#include <bench/compare/compare.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <sstream>
#include <string>

#include <tests/bench/compare/synthetic_runs.hpp>

using bench::compare_runs;

BOOST_AUTO_TEST_CASE(the_markdown_has_a_column_per_run_and_says_what_the_gate_said) {
  const history_of_runs runs{
      {synthetic_run(quiet(1)), synthetic_run(quiet(2)), synthetic_run(slower(3, 1800))}};
  const auto text = bench::comparison_markdown(compare_runs(runs.paths, 0.03));
  BOOST_TEST(says(text,
                  "| scenario | server | anchor | run 1 | run 2 | run 3 | before, mean | after | "
                  "change, %"),
             text);
  BOOST_TEST(says(text, "**Gate 3.0 %: FAILED; CPU per message +"));
  BOOST_TEST(says(text, " \\* | "));
  BOOST_TEST(says(text, "| higher by "));
  BOOST_TEST(says(text, "\nThroughput as a multiple of the anchor"));
  std::istringstream in{text};
  std::ptrdiff_t bars = 0;  // of the table that a line belongs to
  for (std::string line; std::getline(in, line);) {
    const auto here = std::count(line.begin(), line.end(), '|');
    if (bars > 0 && here > 0) BOOST_TEST(here == bars, line);
    bars = here;
  }
}
