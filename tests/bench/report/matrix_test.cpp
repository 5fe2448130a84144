// The table of all servers, in each form.
#include <bench/analysis/analysis.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/report.hpp>
#include <bench/report/tables.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

#include <tests/bench/many_servers.hpp>
#include <tests/bench/report/every_form.hpp>

namespace {

const std::string go_is_missing = "cannot start go/epoll (it needs the Debian package golang-go)";

bench::run_record without_go() {
  auto record = many_servers({"fibers/epoll", "asyncio/epoll"});
  record.caveats_found = {bench::caveats::server_missing{"go/epoll", go_is_missing}};
  return record;
}

std::string brief_text(const bench::run_record& record, int width = 80) {
  return bench::summary_text(record, {.width = width, .unicode = false}, bench::detail::brief);
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_form_for_people_has_the_table_of_all_servers) {
  const auto forms = every_form(without_go());
  BOOST_TEST(contains(forms[0], "\"matrix\""));
  for (const std::size_t for_people : {2U, 3U, 4U}) {
    const auto form = unwrapped(forms[for_people]);
    BOOST_TEST(contains(form, "All servers on c64/512"));
    BOOST_TEST(contains(form, "no: " + go_is_missing));
    BOOST_TEST(contains(form,
                        "Half load (c64/512/r50%): messages are due at half of what the "
                        "server reaches alone, or asio-callback/epoll if that is less"));
  }
}

BOOST_AUTO_TEST_CASE(a_run_of_two_servers_has_no_such_table) {
  const auto record = synthetic_run();
  BOOST_TEST(bench::matrix_table(bench::analyse(record)).rows.empty());
  for (const auto& form : every_form(record)) BOOST_TEST(!contains(form, "All servers on"));
}

BOOST_AUTO_TEST_CASE(markdown_has_a_ratio_with_its_interval_and_its_word) {
  const auto markdown = every_form(without_go())[2];
  const auto found = bench::analyse(without_go());
  const auto& ratio = found.matrix->at(1).cpu_ratio.number;
  BOOST_TEST(contains(markdown, fmt::format("| {:.3f} [{:.3f}, {:.3f}] | higher |", ratio.value,
                                            ratio.range->low, ratio.range->high)));
  BOOST_TEST(contains(markdown, "| go/epoll | no: " + go_is_missing + " | n/a | n/a |"));
}

BOOST_AUTO_TEST_CASE(a_throughput_that_the_client_limits_is_marked) {
  auto record = without_go();
  for (auto& block : record.blocks)
    for (auto& timed : block.slices)
      if (timed.server == "fibers/epoll") timed.client_utilisation = 0.99;
  const auto shown = bench::matrix_table(bench::analyse(record));
  BOOST_TEST(shown.rows.at(1).at(5).brief.starts_with(">"));
  BOOST_TEST(shown.rows.at(1).at(5).text.ends_with(", client-limited"));
  BOOST_TEST(!shown.rows.at(0).at(5).brief.starts_with(">"));
  BOOST_TEST(contains(shown.note, "Client-limited, or >: the server may do more."));
}

// The page of many columns shows brief numbers, and reasons all the same.
BOOST_AUTO_TEST_CASE(the_page_says_why_a_cell_has_no_number) {
  auto record = without_go();
  record.memory.clear();
  BOOST_TEST(contains(every_form(record)[3],
                      "class=\"why\" data-label=\"KiB/connection\">n/a: it "
                      "was not measured</td>"));
}

BOOST_AUTO_TEST_CASE(the_terminal_shows_all_servers_in_one_plot_and_says_each_sentence_once) {
  const auto text = brief_text(without_go());
  for (const auto& line : lines_of(text)) BOOST_TEST(line.size() <= 80U, line);
  BOOST_TEST(lines_of(text).size() <= 40U, text);
  BOOST_TEST(!contains(text, "CPU per message, asyncio/epoll / "), "it has a plot of its own");
  BOOST_TEST(contains(unwrapped(text), "go/epoll, contract: no: " + go_is_missing));
  const auto sentences = text.substr(text.find("All servers on"));
  BOOST_TEST(contains(sentences, "fibers/epoll costs"));
  BOOST_TEST(!contains(sentences, "asyncio/epoll costs"));
}

BOOST_AUTO_TEST_CASE(a_pair_with_more_loads_than_the_table_keeps_its_plot_and_its_sentences) {
  auto record = without_go();
  const auto is_of_asyncio = [](const bench::block& each) {
    return each.comparison.contender == "asyncio/epoll" && each.kind == bench::block_kind::duet;
  };
  auto more = *std::find_if(record.blocks.begin(), record.blocks.end(), is_of_asyncio);
  more.scenario = bench::scenario::parse("c1/64");
  record.blocks.push_back(more);
  const auto text = brief_text(record);
  BOOST_TEST(contains(text, "CPU per message, asyncio/epoll / "));
  BOOST_TEST(contains(text, "asyncio/epoll costs"));
}
