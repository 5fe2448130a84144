// A table in each form. The forms show the same cells, or brief ones if there is little room.
#include <bench/report/forms.hpp>
#include <bench/report/page/elements.hpp>

#include <boost/test/unit_test.hpp>
#include <string>

#include <tests/texts.hpp>

namespace {

const bench::style ascii{.width = 40, .unicode = false};

bench::table latencies() {
  return {.title = "Latency",
          .columns = {bench::scenario_column,
                      bench::server_column,
                      {"p50, µs", "p50, µs"},
                      {"max, µs"}},
          .rows = {{"c1/64", "one", {"8.42 [8.1, 9.0]", "8.42"}, "303"},
                   {"c64/512", "another", {"1,166 [900, 1,300]", "1,166"}, "9,001"}}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_terminal_takes_what_is_brief_and_sets_numbers_to_the_right) {
  BOOST_TEST(bench::terminal_table(latencies(), ascii) ==
             "scenario  server   p50, us\n"
             "c1/64     one         8.42\n"
             "c64/512   another    1,166\n");
  BOOST_TEST(bench::terminal_table(latencies(), {.width = 40, .unicode = true}) ==
             "scenario  server   p50, µs\n"
             "c1/64     one         8.42\n"
             "c64/512   another    1,166\n");
}

BOOST_AUTO_TEST_CASE(a_name_for_which_there_is_no_room_takes_a_line_of_its_own) {
  auto shown = latencies();
  shown.rows.back()[1] = "another-server/its-own-reactor";
  BOOST_TEST(bench::terminal_table(shown, ascii) ==
             "scenario  server                 p50, us\n"
             "c1/64     one                       8.42\n"
             "c64/512   another-server/its-own-reactor\n"
             "                                   1,166\n");
}

BOOST_AUTO_TEST_CASE(headings_for_which_there_is_no_room_become_a_line) {
  auto shown = latencies();
  shown.columns[2].brief = "p50 of a server of somebody else";
  BOOST_TEST(bench::terminal_table(shown, ascii) ==
             "scenario, server, p50 of a server of\n"
             "  somebody else\n"
             "c1/64    one       8.42\n"
             "c64/512  another  1,166\n");
}

BOOST_AUTO_TEST_CASE(markdown_takes_every_column_and_nothing_in_a_name_ends_a_cell) {
  auto shown = latencies();
  shown.rows.back()[1] = "a|b*";
  BOOST_TEST(bench::markdown_table(shown) ==
             "| scenario | server | p50, µs | max, µs |\n"
             "|---|---|---:|---:|\n"
             "| `c1/64` | one | 8.42 [8.1, 9.0] | 303 |\n"
             "| `c64/512` | a\\|b\\* | 1,166 [900, 1,300] | 9,001 |\n");
}

BOOST_AUTO_TEST_CASE(the_page_labels_each_cell_and_leaves_out_intervals_of_many_columns) {
  auto shown = latencies();
  const std::string whole = "data-label=\"p50, µs\">8.42 [8.1, 9.0]</td>";
  BOOST_TEST(contains(bench::html_table(shown), whole));
  for (int i = 0; i < 3; ++i) {
    shown.columns.push_back({"p99, µs"});
    for (auto& row : shown.rows) row.emplace_back("500");
  }
  BOOST_TEST(!contains(bench::html_table(shown), whole));
  BOOST_TEST(contains(bench::html_table(shown), "data-label=\"p50, µs\">8.42</td>"));
}

BOOST_AUTO_TEST_CASE(a_page_of_nothing_but_numbers_spends_few_bytes_on_a_row) {
  const bench::table shown{.columns = {{"round"}, {"ratio"}}, .rows = {{"1", "0.936"}}};
  BOOST_TEST(contains(bench::html_table(shown), "<tr><td>1</td><td>0.936</td></tr>"));
}

BOOST_AUTO_TEST_CASE(a_table_without_rows_is_written_nowhere) {
  auto shown = latencies();
  shown.rows.clear();
  BOOST_TEST(bench::terminal_table(shown, ascii) == "");
  BOOST_TEST(bench::markdown_table(shown) == "");
  BOOST_TEST(bench::html_table(shown) == "");
}
