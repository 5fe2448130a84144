// What the generators of each host measured, load by load.
#include <bench/analysis/analysis.hpp>
#include <bench/analysis/by_host/host_rows.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>

#include <tests/bench/synthetic_run.hpp>
#include <tests/bench/with_hosts.hpp>

namespace {

bench::host_row row_about(const bench::run_record& record, const std::string& load,
                          const std::string& host) {
  const auto rows = bench::host_rows_of(record).value();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) {
    return row.host == host && row.scenario.text() == load;
  });
  BOOST_REQUIRE(found != rows.end());
  return *found;
}

// A run of one load, whose slices were all loaded alone.
bench::run_record of_one_load(const std::string& load, int rounds = 3) {
  auto record = synthetic_run({.rounds = rounds, .control = false, .select_too = false});
  std::erase_if(record.blocks, [&](const bench::block& block) {
    return block.kind != bench::block_kind::exclusive || block.scenario.text() != load;
  });
  return with_hosts(record);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_run_without_hosts_has_no_rows_of_hosts) {
  BOOST_TEST(!bench::host_rows_of(synthetic_run()).has_value());
  BOOST_TEST(!bench::analyse(synthetic_run()).hosts.has_value());
}

BOOST_AUTO_TEST_CASE(each_load_has_a_row_for_each_host_in_the_order_of_the_header) {
  const auto rows = bench::analyse(with_hosts(synthetic_run())).hosts.value();
  std::string order;
  for (const auto& row : rows) order += row.scenario.text() + " " + row.host + ", ";
  BOOST_TEST(order ==
             "c1/64 a, c1/64 b, c1/64 c, c64/512 a, c64/512 b, c64/512 c, c256/64 a, c256/64 b, "
             "c256/64 c, c64/512/r50% a, c64/512/r50% b, c64/512/r50% c, ");
}

BOOST_AUTO_TEST_CASE(messages_and_retransmits_are_sums_and_the_skew_is_the_largest) {
  auto record = of_one_load("c64/512", 1);
  std::int64_t messages = 0;
  for_each_share(record, "b", [&](auto& share) {
    share.retransmits = 3;
    messages += share.messages;
  });
  record.blocks.front().slices[1].hosts->at(1).start_skew_us = 812;
  const auto row = row_about(record, "c64/512", "b");
  BOOST_TEST(row.generators == 3);
  BOOST_TEST(row.messages == messages);
  BOOST_TEST(row.retransmits == 4 * 3);
  BOOST_TEST(row.start_skew_us == 812);
}

BOOST_AUTO_TEST_CASE(percentiles_and_utilisation_are_those_of_the_median_slice) {
  auto record = of_one_load("c64/512", 1);
  double us = 0;
  for_each_share(record, "b", [&](auto& share) {
    us += us == 20 ? 1000 : 10;  // 10, 20, 1020, 1030
    share.p50_us = us;
    share.p99_us = 2 * us;
    share.client_utilisation = us / 2000;
  });
  const auto row = row_about(record, "c64/512", "b");
  BOOST_TEST(row.p50_us.value() == 520);
  BOOST_TEST(row.p99_us.value() == 1040);
  BOOST_TEST(row.client_utilisation == 0.26);
}

BOOST_AUTO_TEST_CASE(duets_count_for_latency_only_where_a_load_has_nothing_else) {
  auto record = with_hosts(synthetic_run({.rounds = 2, .control = false, .select_too = false}));
  for (auto& block : record.blocks)
    for (auto& timed : block.slices)
      for (auto& share : *timed.hosts)
        share.p50_us = block.kind == bench::block_kind::duet ? 900 : 300;
  BOOST_TEST(row_about(record, "c64/512", "a").p50_us.value() == 300);
  std::erase_if(record.blocks,
                [](const auto& block) { return block.kind == bench::block_kind::exclusive; });
  BOOST_TEST(row_about(record, "c64/512", "a").p50_us.value() == 900);
}

BOOST_AUTO_TEST_CASE(only_under_an_open_loop_a_host_can_be_late) {
  const auto record = with_hosts(synthetic_run({.rounds = 1}));
  BOOST_TEST(!row_about(record, "c64/512", "a").late_p99_us.has_value());
  BOOST_TEST(row_about(record, "c64/512/r50%", "a").late_p99_us.value() == 3);
}

BOOST_AUTO_TEST_CASE(a_host_without_a_reply_has_no_latency) {
  auto record = of_one_load("c1/64");
  for_each_share(record, "c", [](auto& share) { share.messages = 0; });
  BOOST_TEST(!row_about(record, "c1/64", "c").p50_us.has_value());
  BOOST_TEST(row_about(record, "c1/64", "a").p50_us.has_value());
}

BOOST_AUTO_TEST_CASE(a_host_that_does_its_part_has_one_in_each_slice) {
  auto record = of_one_load("c64/512", 1);
  for (const auto* host : {"a", "b", "c"}) {
    const auto row = row_about(record, "c64/512", host);
    BOOST_TEST(row.parts.size() == 4U);
    for (const auto& part : row.parts)
      BOOST_TEST(part.value() == 1, boost::test_tools::tolerance(0.002));
  }
  for_each_share(record, "b", [](auto& share) { share.messages /= 2; });
  for (const auto& part : row_about(record, "c64/512", "b").parts)
    BOOST_TEST(part.value() == 0.5, boost::test_tools::tolerance(0.002));
}

BOOST_AUTO_TEST_CASE(a_host_that_is_absent_later_has_no_part_there) {
  auto record = of_one_load("c64/512", 1);
  auto& later = *record.blocks.front().slices.back().hosts;
  std::erase_if(later, [](const auto& share) { return share.host == "b"; });
  record.blocks.front().slices.back().messages /= 2;
  const auto absent = row_about(record, "c64/512", "b").parts;
  BOOST_TEST(absent.size() == 4U);
  BOOST_TEST(absent.front().has_value());
  BOOST_TEST(!absent.back().has_value());
  // The others are measured by the generators that are left.
  BOOST_TEST(row_about(record, "c64/512", "a").parts.back().value() == 1,
             boost::test_tools::tolerance(0.002));
}

BOOST_AUTO_TEST_CASE(a_host_that_never_loaded_has_no_row) {
  auto record = of_one_load("c64/512");
  leave_out(record, "b");
  const auto rows = bench::host_rows_of(record).value();
  BOOST_TEST(rows.size() == 2U);
  BOOST_TEST(rows.back().host == "c");
}

BOOST_AUTO_TEST_CASE(a_host_alone_has_nobody_to_be_compared_with) {
  auto record = of_one_load("c64/512");
  leave_out(record, "b");
  leave_out(record, "c");
  BOOST_TEST(!row_about(record, "c64/512", "a").parts.empty());  // its run has three hosts
  record.header.hosts->resize(1);
  BOOST_TEST(row_about(record, "c64/512", "a").parts.empty());
}

BOOST_AUTO_TEST_CASE(with_few_connections_per_generator_a_part_says_nothing) {
  BOOST_TEST(row_about(of_one_load("c1/64"), "c1/64", "a").parts.empty());
  auto record = of_one_load("c64/512");
  for (auto& block : record.blocks) block.scenario = {24, 512, 1};
  BOOST_TEST(!row_about(record, "c24/512", "a").parts.empty());
  for (auto& block : record.blocks) block.scenario = {23, 512, 1};
  BOOST_TEST(row_about(record, "c23/512", "a").parts.empty());
  // Of the rounds in which fewer generators shared them, no part is shown beside these.
  auto& later = *record.blocks.back().slices.back().hosts;
  std::erase_if(later, [](const auto& share) { return share.host == "b"; });
  BOOST_TEST(row_about(record, "c23/512", "a").parts.empty());
}

// The file may be somebody else's.
BOOST_AUTO_TEST_CASE(numbers_that_no_run_can_have_do_no_harm) {
  auto record = of_one_load("c64/512");
  record.header.hosts->push_back({"a", std::numeric_limits<int>::max(), "", "", 0});
  record.header.hosts->push_back({"none", -1, "", "", 0});
  for_each_share(record, "a", [](auto& share) {
    share.messages = std::numeric_limits<std::int64_t>::max();
    share.retransmits = std::numeric_limits<std::int64_t>::max();
    share.p50_us = std::numeric_limits<double>::max();
  });
  for_each_share(record, "c", [](auto& share) { share.host = "stranger"; });
  record.blocks.front().slices.front().seconds = 0;
  const auto row = row_about(record, "c64/512", "a");
  BOOST_TEST(row.messages == std::numeric_limits<std::int64_t>::max());
  BOOST_TEST(row.retransmits == std::numeric_limits<std::int64_t>::max());
  bench::analyse(record);
}
