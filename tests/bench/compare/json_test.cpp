// The comparison as JSON, for programs.
#include <bench/compare/compare.hpp>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

#include <tests/bench/compare/synthetic_runs.hpp>

using bench::compare_runs;

BOOST_AUTO_TEST_CASE(the_json_has_the_rows_the_gate_and_the_spread_between_runs) {
  const two_runs runs{quiet(1), slower(2, 1800)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  const auto text = bench::comparison_json(change);
  const auto whole = boost::json::parse(text).as_object();
  BOOST_TEST(whole.at("report").as_string() == "echobench compare");
  BOOST_TEST(whole.at("version").as_int64() == 1);
  BOOST_TEST(whole.at("result").as_string() == "failed");
  BOOST_TEST(whole.at("rows").as_array().size() == change.rows.size());
  const auto& row = whole.at("rows").at(0);
  BOOST_TEST(row.at("about").at("what").as_string() == "cpu");
  BOOST_TEST(row.at("judged").at("change").to_number<double>() == change.rows[0].judged.change,
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(whole.at("spreads").at(0).at("spread").at("is_prior").as_bool());
  BOOST_TEST(whole.at("gate").at("limit").to_number<double>() == 0.03);
  BOOST_TEST(text.find('\n') == text.size() - 1);
}
