// The points for github-action-benchmark's chart: ratios, and costs above the bare loop.
#include <bench/analysis/analysis.hpp>
#include <bench/report/forms.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <vector>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

using bench::analyse;

BOOST_AUTO_TEST_CASE(points_for_the_github_action_are_ratios_and_costs_above_the_floor) {
  const auto points_of = [](const bench::run_record& record) {
    return boost::json::parse(bench::github_action_report(analyse(record))).as_array();
  };
  const auto points = points_of(synthetic_run());
  BOOST_TEST(points.size() == 6U * 3);
  std::vector<std::string> names;
  for (const auto& each : points) {
    const auto& point = each.as_object();
    BOOST_TEST(point.size() == 5U);
    names.emplace_back(point.at("name").as_string());
    BOOST_TEST(std::isfinite(point.at("value").to_number<double>()));
    BOOST_TEST((point.at("unit") == "ratio" || point.at("unit") == "ns a message"));
    BOOST_TEST(point.at("range").as_string().starts_with('['));
    BOOST_TEST(contains(std::string{point.at("extra").as_string()}, "10 duet blocks"));
  }
  BOOST_TEST(names[3] == "c64/512: CPU a message, fibers/epoll / asio-callback/epoll");
  BOOST_TEST(names[4] == "c64/512: fibers/epoll above floor/epoll, beside asio-callback/epoll");
  BOOST_TEST(std::abs(points[3].at("value").to_number<double>() - 0.91) < 0.02);
  BOOST_TEST(std::abs(points[5].at("value").to_number<double>() - 480) < 60);
  std::sort(names.begin(), names.end());
  BOOST_TEST((std::adjacent_find(names.begin(), names.end()) == names.end()));
  BOOST_TEST(!points_of(synthetic_run({.rounds = 5})).front().as_object().contains("range"));
  BOOST_TEST(points_of(synthetic_run({.rounds = 0})).empty());
}
