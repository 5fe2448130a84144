// The headlines of a report, depending on what the run has measured.
#include <bench/analysis/analysis.hpp>

#include <boost/test/unit_test.hpp>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

using bench::analyse;

BOOST_AUTO_TEST_CASE(an_open_loop_alone_leads_with_its_response_times) {
  auto record = synthetic_run({.control = false});
  std::erase_if(record.blocks,
                [](const auto& block) { return block.kind != bench::block_kind::open_loop; });
  const auto found = analyse(record);
  BOOST_REQUIRE(found.headlines.size() == 1U);
  BOOST_TEST(
      contains(found.headlines.front(),
               "On c64/512/r50%, with 20,000 messages due a second, fibers/epoll answers in "));
  BOOST_TEST(contains(found.headlines.front(), " us p99, asio-callback/epoll answers in "));
}

BOOST_AUTO_TEST_CASE(each_comparison_has_its_own_leading_scenario) {
  auto record = synthetic_run();
  std::erase_if(record.blocks, [](const auto& block) {
    return block.comparison.base == "asio-callback/select" && block.scenario.text() == "c64/512";
  });
  const auto found = analyse(record);
  BOOST_REQUIRE(found.headlines.size() == 2U);
  BOOST_TEST(found.headlines[0].starts_with("On c64/512, fibers/epoll"));
  BOOST_TEST(found.headlines[1].starts_with("On c1/64, fibers/select"));
}

BOOST_AUTO_TEST_CASE(without_a_floor_the_headline_is_the_whole_cost) {
  auto record = synthetic_run();
  for (auto& pair : record.header.comparisons) pair.floor.reset();
  for (auto& block : record.blocks) {
    block.comparison.floor.reset();
    std::erase_if(block.slices, [](const auto& slice) { return slice.launch == 2; });
  }
  const auto found = analyse(record);
  BOOST_TEST(contains(found.headlines.front(), "ns ["));
  BOOST_TEST(contains(found.headlines.front(), "of CPU a message, asio-callback/epoll"));
  BOOST_TEST(every_form(record).size() == 5U);
}
