#include <algorithm>
#include <bench/measure/schedule.hpp>
#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <string>

#include <tests/bench/measure/requests.hpp>

using bench::block_kind;
using bench::plan_run;

BOOST_AUTO_TEST_CASE(a_round_holds_each_pairing_once_in_an_order_that_the_seed_decides) {
  const auto plan = plan_run(asking("default"));
  const auto names = [](const std::vector<bench::planned_block>& blocks) {
    std::vector<std::string> all;
    for (const auto& each : blocks) {
      all.push_back(each.scenario.text() + each.comparison.base + each.comparison.contender +
                    (each.kind == block_kind::duet ? " duet" : " exclusive"));
    }
    return all;
  };
  auto first = names(blocks_of_round(plan, 0));
  BOOST_TEST(first == names(blocks_of_round(plan, 0)));
  auto second = names(blocks_of_round(plan, 1));
  BOOST_TEST(first != second);
  auto other = plan;
  other.seed = plan.seed + 1;
  BOOST_TEST(first != names(blocks_of_round(other, 0)));
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  BOOST_TEST(first == second);
  BOOST_TEST(std::set<std::string>(first.begin(), first.end()).size() == first.size());
}

BOOST_AUTO_TEST_CASE(orders_are_balanced_over_the_rounds) {
  const auto plan = plan_run(asking("quick"));
  std::map<std::string, int> orders;
  for (int round = 0; round < 12; ++round) {
    for (const auto& each : blocks_of_round(plan, round)) ++orders[each.order];
  }
  BOOST_TEST(orders.at("ABBA") == orders.at("BAAB"));
  std::map<char, int> leads;
  int base_before_contender = 0;
  int duets = 0;
  for (const auto& [order, count] : orders) {
    if (order.size() != 3) continue;
    leads[order[0]] += count;
    duets += count;
    if (order.find('A') < order.find('B')) base_before_contender += count;
  }
  BOOST_TEST(leads['A'] == leads['B']);
  BOOST_TEST(leads['A'] == leads['F']);
  BOOST_TEST(base_before_contender * 2 == duets);
}
