// Another implementation of HdrHistogram reads the latency files of a run.
//
//     hdr_reader_test -- NODE READ.mjs
#include <bench/analysis/analysis.hpp>
#include <bench/report/latency_files.hpp>
#include <bench/report/report.hpp>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>
#include <vector>

#include <tests/bench/synthetic_run.hpp>
#include <tests/child_process.hpp>
#include <tests/scratch_folder.hpp>

namespace {

constexpr double ns_a_ms = 1e6;

struct read_back {
  bench::run_record record = synthetic_run({.rounds = 7});
  boost::json::value found = read(record);

  const boost::json::value& merged(const std::string& tag) const {
    return found.at("merged").at(tag);
  }

 private:
  static boost::json::value read(const bench::run_record& record) {
    const scratch_folder folder;
    bench::write_reports(record, folder.path());
    const auto& arguments = boost::unit_test::framework::master_test_suite();
    const auto ended =
        run_program({arguments.argv[1], arguments.argv[2], (folder / "latency.hlog").string()});
    BOOST_REQUIRE_MESSAGE(ended.exit_code == 0, ended.errors);
    return boost::json::parse(ended.output);
  }
};

// The numbers in each line of a table. Lines that begin without a number are left out, and
// "Infinity" is no number.
std::vector<std::vector<double>> numbers_of(const std::string& table) {
  std::vector<std::vector<double>> lines;
  std::istringstream in{table};
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    std::vector<double> numbers;
    for (double number = 0; words >> number;) numbers.push_back(number);
    if (!numbers.empty()) lines.push_back(numbers);
  }
  return lines;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(hdr_reader, read_back)

BOOST_AUTO_TEST_CASE(every_slice_of_a_server_alone_is_an_interval_with_its_time_and_count) {
  std::size_t kept = 0;
  const auto& intervals = found.at("intervals").as_array();
  for (const auto& block : record.blocks)
    for (const auto& slice : block.slices) kept += slice.latency ? slice.open_loop ? 2 : 1 : 0;
  BOOST_REQUIRE(intervals.size() == kept);
  const auto& second = intervals[1];
  BOOST_TEST(second.at("count").to_number<int>() == 1000);
  BOOST_TEST(second.at("start_ms").to_number<double>() == 1769862896e3 + 1000);
  BOOST_TEST(second.at("end_ms").to_number<double>() == 1769862896e3 + 1200);
}

BOOST_AUTO_TEST_CASE(the_reader_finds_the_percentiles_that_the_report_prints) {
  const auto says = [&](const std::string& tag, const bench::distribution& printed) {
    const auto& read = merged(tag);
    BOOST_TEST_CONTEXT(tag) {
      BOOST_TEST(read.at("count").to_number<std::int64_t>() == printed.messages);
      const auto us = [&](const char* name) { return read.at(name).to_number<double>() / 1000; };
      BOOST_TEST(us("p50") == printed.p50_us, boost::test_tools::tolerance(1e-12));
      BOOST_TEST(us("p90") == printed.p90_us, boost::test_tools::tolerance(1e-12));
      BOOST_TEST(us("p99") == printed.p99_us, boost::test_tools::tolerance(1e-12));
      BOOST_TEST(us("p999") == printed.p999_us, boost::test_tools::tolerance(1e-12));
      BOOST_TEST(us("max") == printed.max_us, boost::test_tools::tolerance(1e-12));
    }
  };
  const auto results = bench::analyse(record);
  BOOST_TEST(results.loads.size() == 6U);
  for (const auto& row : results.loads)
    for (const auto* side : {&row.base, &row.contender})
      says(side->server + '@' + row.scenario.text(), side->latency.value());
  for (const auto& row : results.open_loops)
    for (const auto* side : {&row.base, &row.contender}) {
      says(side->server + '@' + row.scenario.text() + ":response", side->response.value());
      says(side->server + '@' + row.scenario.text() + ":service", side->service.value());
    }
}

BOOST_AUTO_TEST_CASE(our_tables_are_line_by_line_those_that_the_reader_writes) {
  const auto tables = bench::percentile_tables(record);
  BOOST_TEST(tables.size() == found.at("merged").as_object().size());
  for (const auto& [name, tag] : std::map<std::string, std::string>{
           {"c64-512_fibers-epoll.hgrm", "fibers/epoll@c64/512"},
           {"c1-64_asio-callback-select.hgrm", "asio-callback/select@c1/64"},
           {"c64-512-r50pct_fibers-epoll_service.hgrm", "fibers/epoll@c64/512/r50%:service"}}) {
    const auto ours = numbers_of(tables.at(name));
    const auto theirs = numbers_of(std::string{merged(tag).at("table").as_string()});
    BOOST_REQUIRE(ours.size() > 30U);
    BOOST_REQUIRE(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      BOOST_TEST(ours[i][0] * ns_a_ms == theirs[i][0], boost::test_tools::tolerance(1e-9));
      for (std::size_t column = 1; column < theirs[i].size(); ++column)
        BOOST_TEST(ours[i].at(column) == theirs[i][column], boost::test_tools::tolerance(1e-9));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
