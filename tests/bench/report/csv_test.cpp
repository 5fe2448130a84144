// report.csv is one table that every reader of tables takes.
#include <bench/report/forms.hpp>

#include <boost/test/unit_test.hpp>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

BOOST_AUTO_TEST_CASE(the_csv_is_one_tidy_table) {
  const auto lines = lines_of(every_form(synthetic_run({.utilisation = 0.97}))[1]);
  BOOST_REQUIRE(lines.size() > 50U);
  BOOST_TEST(lines[0] ==
             "scenario,base,contender,server,metric,unit,estimate,low,high,blocks,words");
  for (const auto& line : lines) BOOST_TEST(csv_cells(line) == 11, line);
}
