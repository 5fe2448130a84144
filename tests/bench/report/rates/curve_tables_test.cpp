// What every form shows of a run that was measured at several rates.
#include <bench/report/rates/curve_tables.hpp>

#include <bench/report/document/excerpt.hpp>
#include <bench/report/report.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include <tests/bench/part_load_run.hpp>
#include <tests/bench/report/every_form.hpp>

using bench::analyse;
using bench::detail;

namespace {

bench::rate_curve some_curve() {
  return analyse(part_load_run()).rate_curves.value().front();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_table_has_a_line_per_rate_with_its_messages_per_second) {
  const auto shown = bench::curve_cost_table(some_curve());
  std::vector<std::string> loads, rates;
  for (const auto& row : shown.rows) {
    loads.push_back(row[0].text);
    rates.push_back(row[1].text);
  }
  BOOST_TEST(loads == (std::vector<std::string>{"10 %", "30 %", "50 %", "80 %", "full"}),
             boost::test_tools::per_element());
  rates.pop_back();
  BOOST_TEST(rates == (std::vector<std::string>{"4,000", "12,000", "20,000", "32,000"}),
             boost::test_tools::per_element());
  BOOST_TEST(contains(shown.rows.back()[1].text, " / "));  // each answers what it can
  BOOST_TEST(shown.columns[2].heading == "fibers, µs");
  BOOST_TEST(shown.columns[3].heading == "Asio, µs");
  BOOST_TEST(shown.rows.front()[5].text.starts_with(shown.rows.front()[5].brief));
}

BOOST_AUTO_TEST_CASE(cpu_per_message_is_in_microseconds) {
  auto curve = some_curve();
  curve.points.front().contender.cpu_ns = {12'340, bench::interval{12'000, 12'700}, 10};
  const auto cell = bench::curve_cost_table(curve).rows.front()[2];
  BOOST_TEST(cell.text == "12.3 [12.0, 12.7]");
  BOOST_TEST(cell.brief == "12.3");
}

BOOST_AUTO_TEST_CASE(a_server_that_cannot_keep_up_is_called_saturated_at_that_rate) {
  auto curve = some_curve();
  curve.points[3].base.saturated = true;
  for (const auto& shown : {bench::curve_cost_table(curve), bench::curve_latency_table(curve)})
    BOOST_TEST(shown.rows[3][3].text == "saturated");
}

BOOST_AUTO_TEST_CASE(a_client_at_its_limit_is_marked_at_the_full_load) {
  const auto limited = analyse(part_load_run({.utilisation = 0.97})).rate_curves.value().front();
  const auto shown = bench::curve_cost_table(limited);
  BOOST_TEST(contains(shown.rows.back()[1].text, "* / "));
  BOOST_TEST(contains(shown.note, "*: the client was the limit"));
  BOOST_TEST(!contains(bench::curve_cost_table(some_curve()).note, "*"));
}

BOOST_AUTO_TEST_CASE(every_form_shows_the_curve_of_rates_and_no_other_run_has_one) {
  const std::vector<std::string> wanted{
      "\"rate_curves\":", "cpu_ratio_at_rate", "### CPU per message over the rate, c64/512",
      "CPU and latency over the rate", "CPU per message over the rate, c64/512"};
  const auto with = every_form(part_load_run()), without = every_form(synthetic_run());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    BOOST_TEST(contains(with[i], wanted[i]), wanted[i]);
    if (i > 0) BOOST_TEST(!contains(without[i], wanted[i]), wanted[i]);  // JSON has an empty list
  }
}

BOOST_AUTO_TEST_CASE(the_tables_of_rates_fit_into_80_columns_and_the_brief_form_has_that_of_cpu) {
  for (const auto wanted : {detail::brief, detail::whole}) {
    const auto text = bench::summary_text(part_load_run(), {.width = 80}, wanted);
    BOOST_TEST(contains(text, "CPU per message over the rate"));
    BOOST_TEST(contains(text, "Latency over the rate") == (wanted == detail::whole));
    for (const auto& line : lines_of(text)) BOOST_TEST(line.size() <= 80U, line);
  }
}

BOOST_AUTO_TEST_CASE(a_document_quotes_the_tables_of_some_rates) {
  const auto record = part_load_run();
  const auto found = analyse(record);
  const auto all = bench::excerpt(record.header, found, "part_load");
  BOOST_TEST(contains(all, "| 80 % | 32,000 |"));
  BOOST_TEST(contains(all, "Latency over the rate"));
  const auto some = bench::excerpt(record.header, found, "part_load on c64/512/r10%,c64/512");
  BOOST_TEST(contains(some, "| 10 % | 4,000 |"));
  BOOST_TEST(!contains(some, "32,000"));
}

BOOST_AUTO_TEST_CASE(the_rates_count_among_the_rows_that_are_judged_together) {
  BOOST_TEST(contains(every_form(part_load_run())[2], "11 of CPU, 6 of throughput"));
  BOOST_TEST(contains(every_form(synthetic_run())[2], "6 of CPU, 6 of throughput"));
}
