// The latency files contain every kept histogram and name its server and load.
#include <bench/report/latency_files.hpp>

#include <boost/test/unit_test.hpp>
#include <string>

#include <tests/bench/synthetic_run.hpp>

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_log_has_a_line_for_every_kept_histogram_and_names_what_it_is) {
  const auto log = bench::latency_log(synthetic_run({.rounds = 6}));
  BOOST_TEST(log.starts_with("#[Logged by echobench"));
  BOOST_TEST(count(log, "#[Histogram log format version 1.3]\n") == 1U);
  BOOST_TEST(count(log, "#[StartTime: 1769862896.000 (seconds since epoch)") == 1U);
  BOOST_TEST(count(log, "\nTag=fibers/epoll@c64/512,") == 2U * 6);
  BOOST_TEST(count(log, "\nTag=fibers/epoll@c64/512/r50%:response,") == 2U * 6);
  BOOST_TEST(count(log, "\nTag=fibers/epoll@c64/512/r50%:service,") == 2U * 6);
  BOOST_TEST(count(log, "\nTag=") == 6U * (6 * 4 + 2 * 4));
  BOOST_TEST(count(log, "floor") == 0U);  // it is never loaded alone
}

BOOST_AUTO_TEST_CASE(a_tag_holds_neither_comma_nor_blank) {
  auto record = synthetic_run({.rounds = 1});
  for (auto& block : record.blocks)
    for (auto& slice : block.slices) slice.server = "my server, \"mine\"";
  BOOST_TEST(count(bench::latency_log(record), "\nTag=my_server__\"mine\"@c1/64,") == 8U);
}

BOOST_AUTO_TEST_CASE(a_table_is_one_of_hdrhistogram_in_milliseconds_and_says_which_loop) {
  const auto tables = bench::percentile_tables(synthetic_run({.rounds = 1}));
  const auto& closed = tables.at("c64-512_fibers-epoll.hgrm");
  BOOST_TEST(closed.starts_with("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
  BOOST_TEST(count(closed, " 1.000000000000       2000\n#[Mean    = ") == 1U);
  BOOST_TEST(count(closed, "Total count    =         2000]\n") == 1U);
  BOOST_TEST(count(closed, "#[Buckets =           33, SubBuckets     =          256]\n") == 1U);
  BOOST_TEST(closed.ends_with("#[fibers/epoll on c64/512, closed loop; milliseconds]\n"));
  BOOST_TEST(tables.at("c64-512-r50pct_fibers-epoll_response.hgrm")
                 .ends_with(", open loop, from when a message was due; milliseconds]\n"));
}

BOOST_AUTO_TEST_CASE(a_table_of_more_values_than_a_double_can_count_ends) {
  auto record = synthetic_run({.rounds = 1, .open_loop = false});
  bench::histogram times;
  times.add(1, (std::uint64_t{1} << 53) - 1);
  times.add(2, 1);
  for (auto& block : record.blocks)
    for (auto& slice : block.slices)
      if (slice.latency) slice.latency = std::make_shared<const bench::histogram>(times);
  const auto table = bench::percentile_tables(record).at("c64-512_fibers-epoll.hgrm");
  BOOST_TEST(table.size() < 64U * 1024);
  BOOST_TEST(count(table, " 1.000000000000 18014398509481984\n#[Mean    = ") == 1U);
}

BOOST_AUTO_TEST_CASE(servers_whose_names_look_alike_keep_a_table_each) {
  auto record = synthetic_run({.rounds = 1, .open_loop = false});
  for (auto& block : record.blocks)
    for (auto& slice : block.slices) slice.server = slice.launch == 1 ? "mine/epoll" : "mine-epoll";
  const auto tables = bench::percentile_tables(record);
  BOOST_TEST(tables.size() == 6U);
  BOOST_TEST(tables.contains("c64-512_mine-epoll.hgrm"));
  BOOST_TEST(tables.contains("c64-512_mine-epoll+.hgrm"));
}

BOOST_AUTO_TEST_CASE(control_blocks_are_in_no_file) {
  auto record = synthetic_run({.rounds = 1});
  for (auto& block : record.blocks) block.control = true;
  BOOST_TEST(bench::latency_log(record).empty());
  BOOST_TEST(bench::percentile_tables(record).empty());
}
