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

BOOST_AUTO_TEST_CASE(the_first_sentence_says_who_uses_less_over_all_loads) {
  const auto found = analyse(synthetic_run({.select_too = false}));
  const auto& said = found.headlines.front();
  BOOST_TEST(said.starts_with("Over 3 loads, fibers/epoll uses "), said);
  BOOST_TEST(contains(said, " % less CPU per message than asio-callback/epoll ["), said);
  const auto& next = found.headlines.at(1);
  BOOST_TEST(next.starts_with("Over 3 loads, fibers/epoll answers "), next);
  BOOST_TEST(contains(next, " % more messages than asio-callback/epoll ["), next);
}

BOOST_AUTO_TEST_CASE(where_nothing_differs_the_first_sentence_says_so) {
  const auto found = analyse(synthetic_run({.library_ns = {{"fibers/epoll", 55},
                                                           {"asio-callback/epoll", 55},
                                                           {"floor/epoll", 0},
                                                           {"fibers/select", 55},
                                                           {"asio-callback/select", 55},
                                                           {"floor/select", 0}}}));
  const auto& said = found.headlines.front();
  BOOST_TEST((contains(said, "use equally much CPU per message: the truth lies in [") ||
              contains(said, "no difference in CPU per message is proved between ")),
             said);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_too_short_says_so_first) {
  const auto found = analyse(synthetic_run({.rounds = 1}));
  BOOST_TEST(contains(found.headlines.front(), "no difference in CPU per message is proved"));
  BOOST_TEST(contains(found.headlines.front(), ": 1 round is too few for an interval"),
             found.headlines.front());
}

BOOST_AUTO_TEST_CASE(a_throughput_that_was_the_clients_has_no_winner) {
  auto record = synthetic_run();
  for (auto& block : record.blocks)
    for (auto& slice : block.slices) slice.client_utilisation = 0.99;
  BOOST_TEST(
      analyse(record).headlines.at(1) ==
      "The throughput of fibers/epoll and asio-callback/epoll is n/a: the client was the limit");
}

BOOST_AUTO_TEST_CASE(each_comparison_has_its_own_leading_scenario) {
  auto record = synthetic_run();
  std::erase_if(record.blocks, [](const auto& block) {
    return block.comparison.base == "asio-callback/select" && block.scenario.text() == "c64/512";
  });
  const auto found = analyse(record);
  BOOST_REQUIRE(found.headlines.size() == 6U);
  BOOST_TEST(found.headlines[0].starts_with("Over 3 loads, fibers/epoll uses "));
  BOOST_TEST(found.headlines[2].starts_with("On c64/512, fibers/epoll costs "));
  BOOST_TEST(found.headlines[3].starts_with("Over 2 loads, fibers/select uses "));
  BOOST_TEST(found.headlines[5].starts_with("On c1/64, fibers/select costs "));
}

BOOST_AUTO_TEST_CASE(without_a_floor_the_headline_is_the_whole_cost) {
  auto record = synthetic_run();
  for (auto& pair : record.header.comparisons) pair.floor.reset();
  for (auto& block : record.blocks) {
    block.comparison.floor.reset();
    std::erase_if(block.slices, [](const auto& slice) { return slice.launch == 2; });
  }
  const auto found = analyse(record);
  BOOST_TEST(contains(found.headlines.at(2), "ns ["));
  BOOST_TEST(contains(found.headlines.at(2), "of CPU a message, asio-callback/epoll"));
  BOOST_TEST(every_form(record).size() == 5U);
}

// 1,000 ns are burnt, and the run reads as much or half as much again.
BOOST_AUTO_TEST_CASE(what_a_control_burnt_and_how_it_was_read_stands_beside_the_nanoseconds) {
  for (const double read : {1000.0, 1500.0}) {
    auto record = synthetic_run({.select_too = false});
    const auto control = synthetic_run(
        {.seed = 8,
         .control = false,
         .select_too = false,
         .open_loop = false,
         .library_ns = {
             {"fibers/epoll", 55 + read}, {"asio-callback/epoll", 55}, {"floor/epoll", 0}}});
    for (auto block : control.blocks) {
      if (block.kind != bench::block_kind::duet) continue;
      block.comparison = {"fibers/epoll", "fibers/epoll/inject1000ns", "floor/epoll"};
      record.blocks.push_back(block);
    }
    const auto found = analyse(record);
    BOOST_REQUIRE(found.calibration.has_value());
    BOOST_TEST(found.calibration->scenario.text() == "c64/512");
    BOOST_TEST(found.calibration->burnt_ns == 1000);
    BOOST_TEST(!found.calibration->read_ns.range.value().excludes(read));
    BOOST_TEST(
        contains(found.headlines.at(2), "; 1,000 ns that a control burnt on c64/512 read as "),
        found.headlines.at(2));
    const auto* misread = bench::first_of<bench::caveats::control_misread>(found.caveats);
    BOOST_TEST((misread != nullptr) == (read > 1000));
    for (const std::size_t form : {2U, 3U, 4U})
      BOOST_TEST(contains(unwrapped(every_form(record)[form]), "ns that a control burnt on "));
  }
  BOOST_TEST(!analyse(synthetic_run()).calibration.has_value());
}
