// The layout of the comparison in a terminal.
#include <bench/compare/compare.hpp>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/bench/compare/synthetic_runs.hpp>

using bench::compare_runs;

BOOST_AUTO_TEST_CASE(a_long_name_of_a_scenario_pushes_no_number_out_of_its_column) {
  bench::run_comparison change;
  change.runs = {"before", "after"};
  change.rows.resize(1);
  change.rows[0].about.scenario = "c16/64/churn";
  change.rows[0].about.server = "fibers/epoll";
  const auto text = bench::comparison_text(change, {});
  const auto ends_at = [&](const std::string& part) {
    const auto at = text.find(part);
    BOOST_REQUIRE(at != std::string::npos);
    return at + part.size() - text.rfind('\n', at);
  };
  BOOST_TEST(ends_at("  before") == ends_at("  1.000"), text);
}

BOOST_AUTO_TEST_CASE(the_comparison_fits_80_columns) {
  const two_runs runs{quiet(1), slower(2, 400)};
  std::vector<bench::run_record> records;
  for (unsigned seed = 1; seed <= 12; ++seed) records.push_back(synthetic_run(quiet(seed)));
  const history_of_runs many{records};
  auto text = bench::comparison_text(compare_runs({runs.before(), runs.after()}, 0.03), {}) +
              bench::comparison_text(compare_runs(many.paths, 0.03), {});
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    const auto line = text.substr(at, end - at);
    if (line.find("/tmp/") != std::string::npos || line.find("fibers_test") != std::string::npos)
      continue;
    BOOST_TEST(line.size() <= 80U, line);
  }
}
