// The hosts from which load came, in each form of the report.
#include <bench/analysis/analysis.hpp>
#include <bench/report/by_host/host_table.hpp>
#include <bench/report/document/excerpt.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/report.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>
#include <tests/bench/with_hosts.hpp>
#include <tests/scratch_folder.hpp>

using bench::analyse;

namespace {

// As of `--from a:2,b:3,c --target api=10.0.0.1:25000`.
bench::run_record target_from_hosts() {
  auto record = with_target(with_hosts(synthetic_run({.select_too = false})));
  record.header.servers_on = "d";
  return record;
}

const std::string hosts_sentence = "load from 3 hosts, 6 generators (a 2, b 3, c 1); servers on d";

std::vector<std::string> texts_of(const std::vector<bench::cell>& row) {
  std::vector<std::string> texts;
  for (const auto& each : row) texts.push_back(each.text);
  return texts;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_form_says_from_where_the_load_came_and_where_the_servers_ran) {
  const auto forms = every_form(target_from_hosts());
  BOOST_TEST(contains(forms[0], "\"servers_on\": \"d\""));
  BOOST_TEST(contains(forms[0], "\"generators\": 3"));
  for (const std::size_t with_sentence : {1U, 2U, 3U, 4U})
    BOOST_TEST(contains(unwrapped(forms[with_sentence]), hosts_sentence));
  for (const std::size_t with_machines : {2U, 3U})
    BOOST_TEST(
        contains(forms[with_machines], "b: 3 generators, 8 x Imaginary CPU 3000, kernel 6.1.0-b"));
  const auto record = target_from_hosts();
  BOOST_TEST(contains(unwrapped(bench::summary_text(record, {}, bench::detail::brief)),
                      "Hosts: " + hosts_sentence));
}

BOOST_AUTO_TEST_CASE(one_host_with_one_generator_is_said_in_the_singular) {
  bench::run_header header;
  BOOST_TEST(bench::hosts_text(header) == "");
  header.servers_on = "d";
  BOOST_TEST(bench::hosts_text(header) == "servers on d");
  header.hosts = {{"a", 1, "6.1.0", "CPU", 1}};
  BOOST_TEST(bench::hosts_text(header) == "load from 1 host, 1 generator (a 1); servers on d");
  BOOST_TEST(bench::descriptions_of_hosts(header) ==
                 std::vector<std::string>{"a: 1 generator, 1 x CPU, kernel 6.1.0"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_table_has_a_line_for_each_load_and_host) {
  bench::results found;
  found.hosts = {
      {.scenario = {64, 512, 1},
       .host = "a",
       .generators = 2,
       .messages = 1'234'567,
       .p50_us = 55.24,
       .p99_us = 303.2,
       .client_utilisation = 0.714,
       .start_skew_us = 1165.6,
       .retransmits = 12},
      {.scenario = bench::scenario::parse("c64/512/r50%"), .host = "b", .late_p99_us = 8.42}};
  const auto shown = bench::host_table(found);
  BOOST_REQUIRE(shown.rows.size() == 2U);
  const std::vector<std::string> closed{"c64/512", "a", "2",    "1,234,567", "55.2",
                                        "303",     "-", "71 %", "1,166",     "12"};
  const std::vector<std::string> open{"c64/512/r50%", "b",    "1",   "0",    "n/a",
                                      "n/a",          "8.42", "0 %", "0.00", "0"};
  BOOST_TEST(texts_of(shown.rows[0]) == closed, boost::test_tools::per_element());
  BOOST_TEST(texts_of(shown.rows[1]) == open, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_form_has_the_numbers_of_each_host) {
  const auto forms = every_form(target_from_hosts());
  for (const std::size_t for_people : {2U, 3U, 4U})
    BOOST_TEST(contains(forms[for_people], "Load by host"));
  BOOST_TEST(contains(forms[2], "| `c64/512` | b | 3 | "));
  BOOST_TEST(contains(forms[3], "id=\"row-hosts-c64-512-b\""));
  const auto csv = lines_of(forms[1]);
  for (const auto* metric :
       {"host_generators", "host_messages", "host_latency_p50", "host_latency_p99",
        "host_client_utilisation", "host_start_skew", "host_retransmits"})
    BOOST_TEST(std::count_if(csv.begin(), csv.end(),
                             [&](const auto& line) {
                               return line.starts_with("c64/512,,,," + std::string{metric} + ",") &&
                                      line.ends_with(",b");
                             }) == 1,
               metric);
  BOOST_TEST(contains(forms[1], "c64/512/r50%,,,,host_late_p99,us,3,"));
  BOOST_TEST(!contains(forms[1], "c64/512,,,,host_late_p99"));
  for (const auto& line : csv) BOOST_TEST(csv_cells(line) == 11, line);
  const auto rows = boost::json::parse(forms[0]).at("results").at("hosts").as_array();
  BOOST_TEST(rows.size() == 4U * 3U);
}

BOOST_AUTO_TEST_CASE(a_run_without_hosts_says_nothing_of_hosts) {
  const auto forms = every_form(synthetic_run());
  for (const std::size_t form : {1U, 2U, 3U, 4U}) {
    BOOST_TEST(!contains(forms[form], "Load by host"));
    BOOST_TEST(!contains(forms[form], "Load from"));
    BOOST_TEST(!contains(forms[form], "host_"));
    BOOST_TEST(!contains(forms[form], "load from"));
  }
}

BOOST_AUTO_TEST_CASE(the_terminal_has_room_for_the_hosts) {
  auto record = target_from_hosts();
  for_each_share(record, "b", [](auto& share) { share.messages = 9'876'543; });
  for (const auto detail : {bench::detail::brief, bench::detail::whole})
    for (const auto& line : lines_of(bench::summary_text(record, {.width = 80}, detail)))
      BOOST_TEST(line.size() <= 80U, line);
}

BOOST_AUTO_TEST_CASE(the_name_of_a_host_is_text_in_every_form) {
  auto record = target_from_hosts();
  const std::string name = "<b>|`=\x1B[31m";
  for (auto& each : *record.header.hosts)
    if (each.name == "b") each.name = name;
  for_each_share(record, "b", [&](auto& share) {
    share.host = name;
    share.p50_us *= 9;
    share.client_utilisation = 1;
    share.start_skew_us = 1e5;
  });
  record.header.servers_on = name;
  record.caveats_found = {bench::caveats::host_left_out{name},
                          bench::caveats::servers_elsewhere{name}};
  const scratch_folder folder;
  const auto read = bench::read_run(folder.write("run.ndjson", ndjson_of(record)));
  const auto forms = every_form(read);
  for (const auto& form : forms) BOOST_TEST(!contains(form, "\x1B"));
  for (const auto& line : lines_of(forms[1])) BOOST_TEST(csv_cells(line) == 11, line);
  BOOST_TEST(contains(forms[2], "| &lt;b>\\|\\`=\\\\x1B[31m |"));
  const auto page = without_scripts(forms[3]);
  BOOST_TEST(contains(page, "&lt;b&gt;|`=\\x1B[31m"));
  BOOST_TEST(!contains(page, "<b>|"));
  BOOST_TEST(first_unbalanced(page) == "");
}

BOOST_AUTO_TEST_CASE(a_name_of_a_host_that_a_spreadsheet_would_compute_is_text) {
  auto record = target_from_hosts();
  record.header.hosts->front().name = "=1+2";
  for_each_share(record, "a", [](auto& share) { share.host = "=1+2"; });
  BOOST_TEST(contains(every_form(record)[1], ",,'=1+2\n"));
}

BOOST_AUTO_TEST_CASE(a_document_can_quote_the_hosts_of_one_load) {
  const auto record = target_from_hosts();
  const auto found = analyse(record);
  const auto quoted = bench::excerpt(record.header, found, "hosts on c64/512");
  BOOST_TEST(contains(quoted, "**Load by host.**"));
  BOOST_TEST(contains(quoted, "| `c64/512` | c | 1 |"));
  BOOST_TEST(!contains(quoted, "c256/64"));
  BOOST_TEST(contains(bench::excerpt(record.header, found, "machine"), hosts_sentence));
  BOOST_CHECK_THROW(bench::excerpt(synthetic_run().header, analyse(synthetic_run()), "hosts"),
                    std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(only_a_page_with_charts_explains_the_cells_of_a_strip) {
  const auto record = target_from_hosts();
  BOOST_TEST(contains(page_of(record, with_charts), "A cell is one slice"));
  BOOST_TEST(!contains(page_of(record, without_charts), "A cell is one slice"));
  BOOST_TEST(contains(page_of(record, without_charts), "data-charts=\"hosts\""));
  auto alone = record;
  alone.header.hosts->resize(1);
  BOOST_TEST(contains(page_of(alone, with_charts), "Load by host"));
  BOOST_TEST(!contains(page_of(alone, with_charts), "A cell is one slice"));
}
