// report.md is valid Markdown, whatever the names of the servers are.
#include <bench/analysis/analysis.hpp>
#include <bench/report/forms.hpp>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

namespace {

std::string markdown_of(const bench::run_record& record) {
  return bench::markdown_report(record.header, bench::analyse(record));
}

// The number of bars that separate cells. Escaped bars do not count.
int bars_of(const std::string& line) {
  int bars = 0;
  for (std::size_t i = 0; i < line.size(); ++i)
    if (line[i] == '|' && (i == 0 || line[i - 1] != '\\')) ++bars;
  return bars;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_markdown_leads_with_its_headlines_and_ends_with_the_environment) {
  const auto record = synthetic_run();
  const auto text = markdown_of(record);
  const auto headlines = bench::analyse(record).headlines;
  BOOST_REQUIRE(headlines.size() == 6U);
  std::string lead;
  for (const auto& each : headlines) lead += each + ".\n\n";
  BOOST_TEST(text.starts_with("## echobench\n\n" + lead + "Intervals are 95 %.\n"));
  std::size_t last = 0;
  for (const auto* title : {"### Can I trust this?\n", "### Caveats\n", "### Environment\n"}) {
    const auto at = text.find(title);
    BOOST_REQUIRE(at != std::string::npos);
    BOOST_TEST(at > last, title);
    last = at;
  }
}

BOOST_AUTO_TEST_CASE(every_row_of_the_markdown_has_as_many_cells_as_its_head) {
  auto record = synthetic_run();
  for (auto& block : record.blocks)
    for (auto& slice : block.slices)
      if (slice.launch == 1) slice.server = "my|server";
  for (auto& block : record.blocks) block.comparison.contender = "my|server";
  int rows = 0, head = 0;
  for (const auto& line : lines_of(markdown_of(record))) {
    const bool in_table = line.starts_with('|');
    if (in_table && head == 0) head = bars_of(line);
    if (in_table) BOOST_TEST(bars_of(line) == head, line);
    if (!in_table) head = 0;
    rows += in_table ? 1 : 0;
  }
  BOOST_TEST(rows > 20);
}

BOOST_AUTO_TEST_CASE(html_and_code_in_a_name_are_shown_as_they_are) {
  auto record = synthetic_run();
  const std::string name = "<b>&`x`\\";
  for (auto& block : record.blocks) {
    block.comparison.contender = name;
    for (auto& slice : block.slices)
      if (slice.launch == 1) slice.server = name;
  }
  record.header.command_line = record.header.machine.kernel = name;
  record.caveats_found = {bench::caveats::debug_build{name}};
  const auto text = markdown_of(record);
  BOOST_TEST(!contains(text, "<b>"), text);
  const std::string shown = "&lt;b>&amp;\\`x\\`\\\\";
  for (const auto& part :
       {"- " + shown + " is a debug", "**Kernel**: " + shown, "| " + shown + " |"})
    BOOST_TEST(contains(text, part), part);
}

BOOST_AUTO_TEST_CASE(a_code_span_holds_any_text) {
  BOOST_TEST(bench::markdown_code("io_uring <b>") == "`io_uring <b>`");
  BOOST_TEST(bench::markdown_code("a `b` c") == "``a `b` c``");
  BOOST_TEST(bench::markdown_code("`b``") == "``` `b`` ```");
  BOOST_TEST(bench::markdown_text("io_uring *a|b*") == "io_uring \\*a\\|b\\*");
}

BOOST_AUTO_TEST_CASE(the_markdown_lists_each_caveat_or_says_that_there_is_none) {
  auto record = synthetic_run();
  BOOST_TEST(contains(markdown_of(record), "\n### Caveats\n\nNone.\n\n###"));
  record.caveats_found = {bench::caveats::debug_build{"mine"}, bench::caveats::one_cpu{}};
  const auto text = markdown_of(record);
  BOOST_TEST(contains(text, "\n### Caveats\n\n- " + bench::text_of(record.caveats_found[0]) +
                                "\n- " + bench::text_of(record.caveats_found[1]) + "\n\n###"),
             text);
}

BOOST_AUTO_TEST_CASE(a_run_that_measured_nothing_has_no_table_in_markdown) {
  auto record = synthetic_run({.rounds = 0});
  record.memory.clear();
  record.kernel.clear();
  const auto text = markdown_of(record);
  BOOST_TEST(contains(text, "## echobench\n\nNo block was measured.\n\n"));
  BOOST_TEST(!contains(text, "\n|"), text);
}
