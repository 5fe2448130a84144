// The HTML report in a browser: a mark for every number in the charts, tables if scripts do not
// run, no network request and no message on the console.
//
// Without Chromium this program prints the reason and exits with code 77.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <tests/bench/many_servers.hpp>
#include <tests/bench/part_load_run.hpp>
#include <tests/bench/report/browser.hpp>
#include <tests/bench/synthetic_run.hpp>
#include <tests/bench/with_hosts.hpp>
#include <tests/texts.hpp>

namespace {

// The number of requests that the page makes. Chromium's own requests have no page as their origin.
std::size_t requests(const std::string& network) {
  BOOST_REQUIRE(!network.empty());
  return count(network, "\"initiator\":\"") - count(network, "\"initiator\":\"not an origin\"");
}

// The group (<g>) that begins at `start`, with the groups nested in it.
std::string group_at(const std::string& document, std::size_t start) {
  std::size_t at = start;
  for (int depth = 0;;) {
    const auto opened = document.find("<g", at);
    const auto closed = document.find("</g>", at);
    if (closed == std::string::npos) return {};
    depth += opened < closed ? 1 : -1;
    at = std::min(opened, closed) + 2;
    if (depth == 0) return document.substr(start, at - start);
  }
}

// The number of marks of a kind in all charts: the shapes in the groups of this class.
std::size_t marks(const std::string& document, const std::string& kind) {
  std::size_t found = 0;
  const auto name = " class=\"" + kind + "\"";
  for (auto at = document.find(name); at != std::string::npos; at = document.find(name, at + 1)) {
    const auto inside = group_at(document, document.rfind("<g", at));
    found += count(inside, "<circle") + count(inside, "<path") + count(inside, "<rect");
  }
  return found;
}

// The document without its script elements, because their text would be counted, too.
std::string without_scripts(const std::string& document) {
  std::string rest;
  std::size_t from = 0;
  for (auto at = document.find("<script"); at != std::string::npos;
       at = document.find("<script", from)) {
    rest += document.substr(from, at - from);
    from = document.find("</script>", at);
  }
  return rest + document.substr(std::min(from, document.size()));
}

// A run with as many rows and blocks as one of the thorough suite.
bench::run_record thorough_run() {
  auto record = synthetic_run({.rounds = 30});
  const auto once = record.blocks;
  for (auto block : once) {
    if (block.control) continue;
    block.scenario.connections = block.scenario.connections * 2 + 1000;
    record.blocks.push_back(block);
  }
  return record;
}

// A run of a target, of which a host does half of its part and is gone in the last round.
bench::run_record loaded_by_hosts() {
  auto record =
      with_hosts(with_target(synthetic_run({.rounds = 3, .control = false, .select_too = false})));
  for_each_share(record, "b", [](auto& share) { share.messages /= 2; });
  for (auto& block : record.blocks)
    if (block.round == 2)
      for (auto& timed : block.slices) timed.hosts->erase(timed.hosts->begin() + 1);
  return record;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(page, browser)

BOOST_AUTO_TEST_CASE(every_number_has_its_mark, *boost::unit_test::precondition(charts_are_there)) {
  const auto record = synthetic_run();
  const auto found = bench::analyse(record);
  const auto document = without_scripts(show(page_of(record)).document);
  std::size_t blocks = 0;
  std::size_t samples = 0;
  std::size_t control_blocks = 0;
  for (const auto& row : found.costs) blocks += row.blocks.size();
  for (const auto& row : found.memory) samples += row.samples.size();
  for (const auto& row : found.controls) control_blocks += row.blocks.size();
  BOOST_TEST(marks(document, "forest-mark") == found.costs.size());
  BOOST_TEST(marks(document, "control-mark") == control_blocks);
  BOOST_TEST(marks(document, "overhead-mark") == 2 * found.costs.size());
  BOOST_TEST(marks(document, "throughput-mark") == 2 * found.loads.size());
  BOOST_TEST(marks(document, "latency-mark") == 4 * 2 * found.loads.size());
  BOOST_TEST(marks(document, "response-mark") == 4 * 2 * found.open_loops.size());
  BOOST_TEST(marks(document, "memory-mark") == samples);
  BOOST_TEST(marks(document, "block-mark") == blocks);
  BOOST_TEST(count(document, "fill=\"none\" stroke=\"var(--paper)\"") == 0U);  // would be invisible
  BOOST_TEST(count(document, "class=\"button\"") == 2U);
  BOOST_TEST(count(document, "<details class=\"table\" open") == 0U);
}

BOOST_AUTO_TEST_CASE(servers_that_were_compared_with_one_are_the_rows_of_one_plot,
                     *boost::unit_test::precondition(charts_are_there)) {
  const auto record = many_servers({"fibers/epoll", "go/epoll", "asyncio/epoll"});
  const auto shown = show(page_of(record));
  const auto document = without_scripts(shown.document);
  BOOST_TEST(shown.complaints == "");
  BOOST_TEST(marks(document, "forest-mark") == bench::analyse(record).costs.size());
  BOOST_TEST(count(document, "aria-label=\"CPU per message divided by that of") == 1U);
  BOOST_TEST(count(document, "64 connections of 512 bytes, against asio-callback/epoll") == 1U);
}

BOOST_AUTO_TEST_CASE(every_rate_has_its_marks, *boost::unit_test::precondition(charts_are_there)) {
  const auto shown = show(page_of(part_load_run()));
  const auto document = without_scripts(shown.document);
  BOOST_TEST(shown.complaints == "");
  BOOST_TEST(marks(document, "rate-cpu-mark") == 2 * 5U);
  BOOST_TEST(marks(document, "rate-latency-mark") == 2 * 2 * 5U);  // p50 and p99
}

BOOST_AUTO_TEST_CASE(every_slice_of_a_host_has_its_cell,
                     *boost::unit_test::precondition(charts_are_there)) {
  const auto record = loaded_by_hosts();
  std::size_t slices = 0;
  for (const auto& row : bench::analyse(record).hosts.value()) slices += row.parts.size();
  const auto shown = show(page_of(record));
  const auto document = without_scripts(shown.document);
  BOOST_TEST(shown.complaints == "");
  BOOST_TEST(slices == 3 * 3 * 4 * 3U);  // loads, hosts, slices of a block, rounds
  BOOST_TEST(marks(document, "host-mark") == slices);
  BOOST_TEST(count(document, "Messages of each host, beside what") == 1U);
  BOOST_TEST(count(document, "<title>b, slice 12: absent</title>") == 3U);
  BOOST_TEST(count(document, "<title>b, slice 1: 50 %</title>") == 3U);
  BOOST_TEST(count(document, "<details class=\"table\" open") == 1U);  // CPU is unknown
}

BOOST_AUTO_TEST_CASE(slices_that_have_no_room_share_a_cell_and_the_farthest_off_is_seen,
                     *boost::unit_test::precondition(charts_are_there)) {
  auto record = with_hosts(synthetic_run({.rounds = 40, .select_too = false}));
  std::size_t number = 0;
  for_each_share(record, "b", [&](auto& share) {
    if (++number % 100 == 0) share.messages /= 4;
  });
  const auto document = without_scripts(show(page_of(record)).document);
  std::size_t slices = 0;
  for (const auto& row : bench::analyse(record).hosts.value()) slices += row.parts.size();
  BOOST_TEST(marks(document, "host-mark") < slices / 3);
  BOOST_TEST(count(document, ", at most: 25 %</title>") >= 1U);
}

BOOST_AUTO_TEST_CASE(a_load_of_too_few_connections_for_its_generators_has_a_table_and_no_strip) {
  auto record = loaded_by_hosts();
  std::erase_if(record.blocks, [](const auto& block) { return block.scenario.connections > 1; });
  const auto shown = show(page_of(record));
  const auto document = without_scripts(shown.document);
  BOOST_TEST(shown.complaints == "");
  BOOST_TEST(marks(document, "host-mark") == 0U);
  BOOST_TEST(count(document, "id=\"row-hosts-c1-64-b\"") == 1U);
}

BOOST_AUTO_TEST_CASE(whatever_a_run_lacks_the_page_is_shown_without_a_complaint) {
  auto few = synthetic_run({.rounds = 3, .control = false, .utilisation = 0.97});
  few.memory.resize(1);
  few.end.reset();
  auto no_floor = synthetic_run({.rounds = 6});
  for (auto& block : no_floor.blocks) {
    block.comparison.floor.reset();
    std::erase_if(block.slices, [](const auto& slice) { return slice.launch == 2; });
  }
  auto no_message = synthetic_run({.rounds = 6});
  no_message.blocks.front().slices.front().messages = 0;
  auto open_loop_only = synthetic_run({.control = false});
  std::erase_if(open_loop_only.blocks,
                [](const auto& block) { return block.kind != bench::block_kind::open_loop; });
  const auto saturated = synthetic_run({.answered = 0.9});
  const auto no_histogram = synthetic_run({.latencies = false});
  auto nothing = synthetic_run({.rounds = 0});
  nothing.memory.clear();
  std::vector<framed_page> pages;
  for (const auto& record :
       {few, no_floor, no_message, open_loop_only, saturated, no_histogram, nothing})
    pages.push_back({page_of(record)});
  const auto seen =
      look_at(pages,
              "const look = ({document}, say) =>"
              "  say(document.querySelectorAll('svg').length > 0 ? 'charts' : 'none')");
  BOOST_TEST(seen.complaints == "");
  for (std::size_t i = 0; i + 1 < pages.size(); ++i)
    BOOST_TEST(seen.said[i] == (has_charts() ? "charts" : "none"), "page " << i);
  BOOST_TEST(seen.said.back() == "none");  // the run without results
}

BOOST_AUTO_TEST_CASE(the_page_asks_nobody_for_anything) {
  const auto shown = show(page_of(synthetic_run()));
  BOOST_TEST(shown.complaints == "");
  BOOST_TEST(requests(shown.network) == 0U);
}

BOOST_AUTO_TEST_CASE(a_page_that_asks_is_found_out) {
  BOOST_TEST(requests(show("<img src=\"https://example.invalid/x\">").network) > 0U);
}

BOOST_AUTO_TEST_CASE(the_policy_lets_no_other_script_run_and_the_test_would_see_it,
                     *boost::unit_test::precondition(charts_are_there)) {
  auto html = page_of(synthetic_run());
  html.insert(html.find("</body>"),
              "<script>document.title = 'ran'</script><img src=\"https://example.invalid/x\">");
  const auto shown = show(html);
  BOOST_TEST(shown.complaints.find("Content Security Policy") != std::string::npos);
  BOOST_TEST(shown.document.find("<title>ran") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(where_no_script_runs_all_tables_stand_open) {
  auto html = page_of(synthetic_run());
  if (has_charts()) html.replace(html.find("'sha256-"), 8, "'sha256-x");
  const auto document = without_scripts(show(html).document);
  BOOST_TEST(count(document, "<svg") == 0U);
  BOOST_TEST(count(document, "<details class=\"table\" open") == 8U);
  BOOST_TEST(count(document, "<details") == count(document, "open=\"\""));
  BOOST_TEST(count(document, "<table") > 8U);
  BOOST_TEST(document.find("c256/64") != std::string::npos);
}

// The page unpacks both from what it holds.
BOOST_AUTO_TEST_CASE(the_page_offers_the_whole_files,
                     *boost::unit_test::precondition(charts_are_there)) {
  auto record = synthetic_run();
  record.header.command_line = "bench/run --server 'ärger=x, \"y\"\r\n'";
  record.header.machine.cpu_model = "CPU\u2122 \u00e9\u00e8";
  const auto found = bench::analyse(record);
  const auto document = show(page_of(record)).document;
  const auto csv = bench::csv_report(record.header, found).size();
  BOOST_TEST(contains(document, "title=\"" + std::to_string(csv) + " bytes\""), csv);
}

BOOST_AUTO_TEST_CASE(an_address_unfolds_the_row_that_it_names,
                     *boost::unit_test::precondition(charts_are_there)) {
  const auto html = page_of(synthetic_run());
  const auto document =
      without_scripts(show(html, {}, "#row-open-loop-c64-512-r50-fibers-epoll-due").document);
  const auto part = document.find("<section id=\"open-loop\"");
  const auto shown = document.substr(part, document.find("</section>", part) - part);
  BOOST_TEST(contains(shown, "<details class=\"part\" open"));
  BOOST_TEST(contains(shown, "<details class=\"table\" open"));
  BOOST_TEST(contains(shown, "href=\"#row-open-loop-c64-512-r50-fibers-epoll-due\""));
  BOOST_TEST(count(document, "<details class=\"part\" open") == 1U);  // the others stay folded
  BOOST_TEST(count(document, "<details class=\"table\" open") == 1U);
}

BOOST_AUTO_TEST_CASE(a_thorough_runs_page_stays_below_400_kilobytes) {
  const auto html = page_of(thorough_run());
  BOOST_TEST(html.size() < 400'000U);
  const auto shown = show(html);
  BOOST_TEST(shown.complaints == "");
  if (has_charts()) BOOST_TEST(marks(without_scripts(shown.document), "forest-mark") == 12U);
}

BOOST_AUTO_TEST_SUITE_END()

int main(int argc, char** argv) {
  if (find_browser().empty()) {
    std::puts("skipped: the page is looked at in Chromium, and there is none");
    return 77;
  }
  const int failed = boost::unit_test::unit_test_main([] { return true; }, argc, argv);
  if (failed != 0 || has_charts()) return failed;
  std::puts("skipped: the tests of the charts, without which the page was built");
  return 77;
}
