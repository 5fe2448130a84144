// All servers side by side: who has a row, and where its numbers come from.
#include <bench/analysis/analysis.hpp>
#include <bench/analysis/by_server/matrix.hpp>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include <tests/bench/many_servers.hpp>

using bench::analyse;

namespace {

const std::string asio = "asio-callback/epoll";

bench::matrix_row row_of(const bench::run_record& record, const std::string& server) {
  const auto found = analyse(record);
  for (const auto& row : found.matrix.value())
    if (row.server == server) return row;
  throw std::out_of_range{server};
}

std::vector<std::string> servers_in(const bench::run_record& record) {
  std::vector<std::string> names;
  if (const auto found = analyse(record).matrix)
    for (const auto& row : *found) names.push_back(row.server);
  return names;
}

void check_servers(const bench::run_record& record, const std::vector<std::string>& wanted) {
  BOOST_TEST(servers_in(record) == wanted, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_bare_loop_comes_first_and_then_the_server_that_all_are_compared_with) {
  check_servers(many_servers({"fibers/epoll", "go/epoll", "floor/epoll"}),
                {"floor/epoll", asio, "fibers/epoll", "go/epoll"});
}

BOOST_AUTO_TEST_CASE(two_servers_and_a_bare_loop_have_no_matrix) {
  check_servers(many_servers({"fibers/epoll", "floor/epoll"}), {});
  check_servers(synthetic_run(), {});
}

BOOST_AUTO_TEST_CASE(without_one_that_all_are_compared_with_there_is_no_matrix) {
  auto record = many_servers({"fibers/epoll", "go/epoll"});
  record.header.comparisons.push_back({"fibers/epoll", "fibers/poll", {}});
  check_servers(record, {});
  record.header.comparisons.back().contender = "go/epoll";  // which has a row already
  check_servers(record, {asio, "fibers/epoll", "go/epoll"});
}

BOOST_AUTO_TEST_CASE(a_server_with_injected_cost_has_no_row) {
  auto record = many_servers({"fibers/epoll", "go/epoll"});
  record.header.comparisons.push_back({"fibers/epoll", "fibers/epoll/inject1000ns", {}});
  check_servers(record, {asio, "fibers/epoll", "go/epoll"});
}

BOOST_AUTO_TEST_CASE(a_server_that_was_left_out_has_a_row_that_says_why) {
  auto record = many_servers({"fibers/epoll"});
  record.caveats_found = {
      bench::caveats::server_missing{"go/epoll", "it needs the Debian package golang-go"},
      bench::caveats::server_missing{"floor/io_uring", "a bare loop is nobody's peer"}};
  check_servers(record, {asio, "fibers/epoll", "go/epoll"});
  const auto row = row_of(record, "go/epoll");
  BOOST_TEST(row.broken.value() == "it needs the Debian package golang-go");
  for (const auto* each : {&row.cpu_ns, &row.cpu_ratio, &row.messages_per_second,
                           &row.kib_per_connection, &row.p99_us}) {
    BOOST_TEST(each->missing == "it was left out");
    BOOST_TEST(each->number.n == 0);
  }
  BOOST_TEST(!row_of(record, "fibers/epoll").broken);
}

BOOST_AUTO_TEST_CASE(every_number_of_a_server_is_that_of_its_pair) {
  const auto record = many_servers({"fibers/epoll", "go/epoll"});
  const auto found = analyse(record);
  const auto row = row_of(record, "go/epoll");
  const bench::comparison pair{asio, "go/epoll", {}};
  for (const auto& cost : found.costs) {
    if (cost.comparison != pair || cost.scenario.text() != "c64/512") continue;
    BOOST_TEST(row.cpu_ns.number.value == cost.contender.cpu_ns.value);
    BOOST_TEST(row.cpu_ratio.number.value == cost.ratio.value);
    BOOST_TEST(row.cpu_ratio.number.range->low == cost.ratio.range->low);
    BOOST_TEST(row.verdict->words == cost.verdict.words);
  }
  for (const auto& load : found.loads) {
    if (load.comparison != pair || load.scenario.text() != "c64/512") continue;
    BOOST_TEST(row.messages_per_second.number.value == load.contender.messages_per_second.value);
  }
  for (const auto& open : found.open_loops) {
    if (open.comparison != pair) continue;
    BOOST_TEST(row.p99_us.number.value == open.contender.response_p99_us.value);
    BOOST_TEST(row.rate_per_second.value == open.rate_per_second.value);
  }
  BOOST_TEST(row.scenario.text() == "c64/512");
  BOOST_TEST(row.open_loop->text() == "c64/512/r50%");
  BOOST_TEST(row.cpu_ns.number.n == 10);
  BOOST_TEST(row.kib_per_connection.number.value == 3.0, boost::test_tools::tolerance(1e-9));
}

// In the comparison with a slower server its rate is half of what that server does.
BOOST_AUTO_TEST_CASE(the_common_server_has_its_latency_at_the_highest_of_its_rates) {
  const auto record = many_servers({"asyncio/epoll", "fibers/epoll", "go/epoll"});
  BOOST_TEST(row_of(record, "asyncio/epoll").rate_per_second.value == 10'000,
             boost::test_tools::tolerance(1e-9));
  const auto row = row_of(record, asio);
  BOOST_TEST(row.rate_per_second.value == 30'000, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(!row.verdict);
  BOOST_TEST(row.cpu_ratio.number.n == 0);
}

BOOST_AUTO_TEST_CASE(a_cell_without_a_number_says_why) {
  auto record = many_servers({"fibers/epoll", "go/epoll"});
  for (auto& block : record.blocks)
    for (auto& timed : block.slices) {
      if (timed.server != "go/epoll") continue;
      timed.cpu_ns.reset();
      if (timed.open_loop) timed.open_loop->due = 2 * timed.messages;
    }
  std::erase_if(record.memory, [](const auto& sample) { return sample.server == "go/epoll"; });
  record.caveats_found = {bench::caveats::cpu_elsewhere{"go/epoll"}};
  const auto row = row_of(record, "go/epoll");
  BOOST_TEST(row.cpu_ns.missing == "the CPU of go/epoll is that of processes unknown here");
  BOOST_TEST(row.cpu_ratio.missing == row.cpu_ns.missing);
  BOOST_TEST(row.kib_per_connection.missing == "its processes are unknown here");
  BOOST_TEST(row.p99_us.missing == "saturated, it answered 50.0 %");
  BOOST_TEST(row.messages_per_second.missing == "");
  BOOST_TEST(!row.broken);
}

BOOST_AUTO_TEST_CASE(whoever_sent_a_wrong_byte_or_died_broke_the_contract) {
  auto record = many_servers({"fibers/epoll", "go/epoll"});
  record.caveats_found = {
      bench::caveats::run_void{"go/epoll: byte 7 is wrong"},
      bench::caveats::memory_cut_short{"fibers/epoll", 1024, "fibers/epoll exited with status 7"}};
  BOOST_TEST(row_of(record, "go/epoll").broken.value() == "byte 7 is wrong");
  BOOST_TEST(row_of(record, "go/epoll").cpu_ratio.missing == "the run is void");
  BOOST_TEST(row_of(record, "fibers/epoll").broken.value() ==
             "with 1024 connections fibers/epoll exited with status 7");
  BOOST_TEST(!row_of(record, asio).broken);
}
