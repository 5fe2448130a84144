// report.csv is one table, with cells that any CSV reader splits correctly.
#include <bench/analysis/analysis.hpp>
#include <bench/report/forms.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

namespace {

std::string csv_of(const bench::run_record& record) {
  return bench::csv_report(record.header, bench::analyse(record));
}

// The first line with this beginning, which must exist.
std::string line_of(const std::string& csv, std::string_view beginning) {
  const auto lines = lines_of(csv);
  const auto found = std::find_if(lines.begin(), lines.end(),
                                  [&](const auto& each) { return each.starts_with(beginning); });
  BOOST_REQUIRE(found != lines.end());
  return *found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_csv_is_one_tidy_table) {
  const auto lines = lines_of(every_form(synthetic_run({.utilisation = 0.97}))[1]);
  BOOST_REQUIRE(lines.size() > 50U);
  BOOST_TEST(lines[0] ==
             "scenario,base,contender,server,metric,unit,estimate,low,high,blocks,words");
  for (const auto& line : lines) BOOST_TEST(csv_cells(line) == 11, line);
}

BOOST_AUTO_TEST_CASE(the_csv_has_the_answer_over_all_loads) {
  const auto csv = csv_of(synthetic_run());
  for (const auto* metric : {"cpu_ratio_overall", "throughput_ratio_overall"}) {
    const auto line = line_of(csv, fmt::format(",asio-callback/epoll,fibers/epoll,,{},1,", metric));
    BOOST_TEST(contains(line, " by "), line);
  }
}

BOOST_AUTO_TEST_CASE(the_csv_has_the_verdicts_on_throughput_and_latency) {
  const auto record = synthetic_run();
  const auto found = bench::analyse(record);
  const auto text = bench::csv_report(record.header, found);
  const auto& row = found.loads.front();
  const auto words_of = [&](const std::string& metric) {
    const auto at = text.find(",," + metric + ",1,");
    BOOST_REQUIRE(at != std::string::npos);
    return text.substr(at, text.find('\n', at) - at);
  };
  BOOST_TEST(contains(words_of("throughput_ratio"), row.throughput_verdict->words));
  BOOST_TEST(contains(words_of("latency_p50_ratio_closed_loop"), row.p50->verdict.words));
  BOOST_TEST(contains(words_of("response_p50_ratio_open_loop"),
                      found.open_loops.front().p50->verdict.words));
}

BOOST_AUTO_TEST_CASE(only_a_cell_that_a_reader_would_split_stands_in_quotes) {
  for (const auto& [name, cell] : {std::pair{"a,b", "\"a,b\""},
                                   {"a\"b", "\"a\"\"b\""},
                                   {"a\nb", "\"a\nb\""},
                                   {"a b;c", "a b;c"}}) {
    auto record = synthetic_run();
    for (auto& block : record.blocks) block.comparison.contender = name;
    const auto csv = csv_of(record);
    BOOST_TEST(contains(csv, "c64/512,asio-callback/epoll," + std::string{cell} + ",,cpu_ratio,"),
               csv);
  }
}

BOOST_AUTO_TEST_CASE(a_name_that_a_spreadsheet_would_compute_is_text) {
  for (const auto& [name, cell] : {std::pair{"=1+2", "'=1+2"},
                                   {"+a", "'+a"},
                                   {"-a", "'-a"},
                                   {"@a", "'@a"},
                                   {"=a,b", "\"'=a,b\""},
                                   {"a=b", "a=b"}}) {
    auto record = synthetic_run();
    for (auto& block : record.blocks) block.comparison.contender = name;
    const auto csv = csv_of(record);
    BOOST_TEST(contains(csv, "c64/512,asio-callback/epoll," + std::string{cell} + ",,cpu_ratio,"),
               csv);
  }
}

BOOST_AUTO_TEST_CASE(without_an_interval_both_its_ends_are_empty) {
  const std::string ratio = "c64/512,asio-callback/epoll,fibers/epoll,,cpu_ratio,1,";
  const auto with = line_of(csv_of(synthetic_run({.rounds = 10})), ratio);
  BOOST_TEST(!contains(with, ",,,10,"), with);
  BOOST_TEST(contains(with, ",10,"), with);
  const auto without = line_of(csv_of(synthetic_run({.rounds = 5})), ratio);
  BOOST_TEST(contains(without, ",,,5,"), without);
}

BOOST_AUTO_TEST_CASE(what_was_not_measured_has_no_line_or_its_reason) {
  auto record = synthetic_run();
  record.memory.resize(1);
  for (auto& pair : record.header.comparisons) pair.floor.reset();
  for (auto& block : record.blocks) {
    block.comparison.floor.reset();
    std::erase_if(block.slices, [](const auto& slice) { return slice.launch == 2; });
  }
  const auto csv = csv_of(record);
  BOOST_TEST(!contains(csv, "library_overhead"));
  BOOST_TEST(contains(csv_of(synthetic_run()), "library_overhead"));
  BOOST_TEST(line_of(csv, ",,,asio-callback/epoll,memory_per_connection,")
                 .starts_with(",,,asio-callback/epoll,memory_per_connection,KiB,,,,,"));
  BOOST_TEST(!line_of(csv, ",,,asio-callback/epoll,memory_per_connection,").ends_with(','));
}
