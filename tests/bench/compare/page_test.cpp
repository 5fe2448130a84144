// The comparison as an HTML page.
#include <bench/compare/compare.hpp>

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <string>

#include <tests/bench/compare/synthetic_runs.hpp>

using bench::compare_runs;

BOOST_AUTO_TEST_CASE(the_page_has_a_mark_per_row_and_run_and_shows_names_as_they_are) {
  const history_of_runs runs{
      {synthetic_run(quiet(1)), synthetic_run(quiet(2)), synthetic_run(slower(3, 1800))}};
  auto change = compare_runs(runs.paths, 0.03);
  change.runs.front() = "<b>first</b>";
  const auto page = bench::comparison_page(change);
  const auto count = [&](const std::string& part) {
    std::size_t found = 0;
    for (auto at = page.find(part); at != std::string::npos; at = page.find(part, at + 1)) ++found;
    return found;
  };
  const auto cpu_rows = rows_of(change, bench::quantity::cpu);
  BOOST_TEST(count("class=\"gate\"") == cpu_rows + 2);
  BOOST_TEST(count("<polyline") == cpu_rows);
  BOOST_TEST(count("class=\"here\"") + count("class=\"here step\"") ==
             change.rows.size() + change.means.size() + 3 * cpu_rows);
  BOOST_TEST(count("class=\"here step\"") == 3U);
  BOOST_TEST(says(page, "&lt;b&gt;first&lt;/b&gt;"));
  BOOST_TEST(!says(page, "<script"));
  BOOST_TEST(says(page, "<h1>Gate 3.0&nbsp;%: FAILED"), page.substr(page.find("<h1>"), 200));
}
