// report.json meets its schema, and reading it back loses nothing.
#include <bench/analysis/analysis.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/json.hpp>
#include <bench/report/report.hpp>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <tests/bench/many_servers.hpp>
#include <tests/bench/part_load_run.hpp>
#include <tests/bench/report/json_schema.hpp>
#include <tests/bench/synthetic_run.hpp>
#include <tests/bench/with_hosts.hpp>
#include <tests/scratch_folder.hpp>

using bench::analyse;

namespace {

boost::json::value parsed_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return boost::json::parse(text.str());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_json_report_read_back_says_the_same) {
  for (const auto& record :
       {synthetic_run(), part_load_run(), many_servers({"fibers/epoll", "go/epoll"}),
        with_hosts(synthetic_run())}) {
    const scratch_folder folder;
    bench::write_reports(record, folder.path());
    const auto back = bench::read_json_report(folder / "report.json");
    BOOST_TEST((bench::json_report(back.header, back.found) == folder.read("report.json")));
  }
}

BOOST_AUTO_TEST_CASE(a_report_with_the_older_words_of_a_verdict_is_read) {
  const auto text = bench::json_report_line(synthetic_run().header, analyse(synthetic_run()));
  auto older = text;
  const std::string now = R"("what":"lower")", before = R"("what":"cheaper")";
  for (auto at = older.find(now); at != older.npos; at = older.find(now, at))
    older.replace(at, now.size(), before);
  BOOST_TEST((older != text));
  const scratch_folder folder;
  const auto back = bench::read_json_report(folder.write("report.json", older));
  BOOST_TEST((bench::json_report_line(back.header, back.found) == text));
}

BOOST_AUTO_TEST_CASE(the_json_report_meets_its_schema_member_by_member) {
  const auto schema = parsed_file(REPORT_SCHEMA);
  schema_check check{schema};
  auto lacking = synthetic_run({.rounds = 3, .control = false, .utilisation = 0.97});
  lacking.header.machine.server_cpu.reset();
  lacking.blocks.front().slices.front().messages = 0;
  lacking.memory.resize(1);
  lacking.end.reset();
  for (const auto& record :
       {synthetic_run(), lacking, synthetic_run({.rounds = 0}), synthetic_run({.answered = 0.9}),
        synthetic_run({.latencies = false}), every_caveat(), with_target(synthetic_run()),
        part_load_run(), many_servers({"fibers/epoll", "go/epoll"}), with_hosts(synthetic_run()),
        with_hosts(synthetic_run({.rounds = 0}))}) {
    const auto report = boost::json::parse(bench::json_report(record.header, analyse(record)));
    for (const auto& complaint : check.complaints(report)) BOOST_ERROR(complaint);
  }
}

BOOST_AUTO_TEST_CASE(the_schema_notices_what_is_missing_mistaken_or_undescribed) {
  const auto schema = parsed_file(REPORT_SCHEMA);
  schema_check check{schema};
  const auto record = synthetic_run({.rounds = 6});
  const auto report = boost::json::parse(bench::json_report(record.header, analyse(record)));
  auto broken = report;
  broken.at("results").at("costs").at(0).as_object().erase("ratio");
  BOOST_TEST(check.complaints(broken) ==
                 std::vector<std::string>{"report.results.costs[0].ratio is missing"},
             boost::test_tools::per_element());
  broken = report;
  broken.at("results").at("costs").at(0).at("verdict").at("what") = "winner";
  broken.at("results").at("margin") = "1 %";
  broken.as_object()["surprise"] = 1;
  BOOST_TEST(check.complaints(broken).size() == 3U);
}
