// What `echobench load` shows fits 80 columns, and says plainly what spoils a number.
#include <bench/command/load/text.hpp>

#include <bench/text/wrapped.hpp>
#include <boost/test/unit_test.hpp>
#include <sstream>

using bench::load_outcome;
using bench::load_text;
using namespace std::chrono_literals;

namespace {

const bench::style ascii{};
const bench::style utf8{.unicode = true};

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

load_outcome result_of(const char* load) {
  load_outcome found{.target = "127.0.0.1:25000",
                     .load = bench::scenario::parse(load),
                     .prefix = "GOT:",
                     .measured = {}};
  auto& seen = found.measured;
  seen.seconds = 2;
  seen.messages = 20'000;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    seen.latency_ns.record(50'000 + 10 * i);
    if (!found.load.open_loop()) continue;
    seen.service_ns.record(40'000 + 10 * i);
    seen.late_ns.record(300);
  }
  seen.latency_ns.record(240'000'000);
  seen.due = 20'000;
  return found;
}

void fits_80_columns(const std::string& text) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    BOOST_TEST(bench::columns_of(line) <= 80, line);
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char each) { return each > 0; });
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_result_fits_80_columns_and_an_ascii_locale) {
  for (const auto* load : {"c64/512", "c64/512/r10k", "c100000/1024K+100000idle/d1024"}) {
    auto found = result_of(load);
    found.measured.unanswered = 123'456'789;
    found.measured.client_utilisation = 1;
    for (const auto& on : {ascii, utf8}) fits_80_columns(load_text(found, on));
    BOOST_TEST(is_ascii(load_text(found, ascii)));
    BOOST_TEST(!is_ascii(load_text(found, utf8)));
  }
}

BOOST_AUTO_TEST_CASE(bars_show_where_the_times_lie_and_the_last_one_the_tail) {
  const auto text = load_text(result_of("c64/512"), ascii);
  BOOST_TEST(says(text, "up to    240,124"), text);
  BOOST_TEST(says(text, "####"), text);
}

BOOST_AUTO_TEST_CASE(the_bars_count_messages_without_a_reply_and_end_with_them) {
  auto found = result_of("c64/512/r10k");
  BOOST_TEST(!says(load_text(found, ascii), "never "));
  found.measured.unanswered = static_cast<std::int64_t>(found.measured.latency_ns.count());
  const auto text = load_text(found, ascii);
  BOOST_TEST(says(text, "never                 50.0 %  ####"), text);
}

BOOST_AUTO_TEST_CASE(a_percentile_with_fewer_than_ten_values_above_it_is_left_out) {
  auto found = result_of("c64/512");
  found.measured.latency_ns = {};
  for (int i = 0; i < 999; ++i) found.measured.latency_ns.record(1000);
  BOOST_TEST(!bench::response_us(found.measured, 99).has_value());
  found.measured.latency_ns.record(1000);
  BOOST_TEST(bench::response_us(found.measured, 99).has_value());
  BOOST_TEST(!bench::response_us(found.measured, 99.9).has_value());
  BOOST_TEST(bench::response_us(found.measured, 100).has_value());
}

BOOST_AUTO_TEST_CASE(all_times_alike_or_none_at_all_can_be_shown) {
  auto found = result_of("c1/64");
  for (const std::uint64_t time : {0U, 1U, 7U}) {
    found.measured.latency_ns = {};
    if (time > 0) found.measured.latency_ns.record(time);
    fits_80_columns(load_text(found, utf8));
  }
  found.measured.messages = 0;
  BOOST_TEST(load_text(found, utf8).empty());
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_keep_up_is_called_saturated) {
  auto found = result_of("c64/512/r10k");
  BOOST_TEST(!says(load_text(found, ascii), "saturated"));
  found.measured.due = 40'000;
  found.measured.unanswered = 10'000;
  const auto text = load_text(found, ascii);
  BOOST_TEST(says(text, "50.0 % were answered: saturated"), text);
  BOOST_TEST(says(text, "no reply     to 10,000 messages"), text);
}

BOOST_AUTO_TEST_CASE(a_client_that_needs_its_whole_core_is_called_the_limit) {
  auto found = result_of("c64/512");
  BOOST_TEST(!says(load_text(found, ascii), "limit"));
  found.measured.client_utilisation = 0.97;
  BOOST_TEST(says(load_text(found, ascii), "97 % of a core: the client is the limit"));
}

BOOST_AUTO_TEST_CASE(an_expectation_is_shown_with_what_was_measured) {
  auto found = result_of("c64/512");
  for (const auto* text : {"max<1ms", "rate>1k"}) {
    const auto wanted = bench::expectation::parse(text);
    found.expectations.push_back({wanted, wanted.measured_by(found.measured)});
  }
  const auto text = load_text(found, ascii);
  BOOST_TEST(says(text, "max<1ms: measured 240 ms, fails"), text);
  BOOST_TEST(says(text, "rate>1k: measured 10,000/s, holds"), text);
  BOOST_TEST(says(load_text(found, {.colour = true}), "\x1b[1;33mfails\x1b[0m"));
}

BOOST_AUTO_TEST_CASE(a_search_shows_its_steps_and_what_limited_it) {
  auto found = result_of("c64/512");
  const auto limit = bench::expectation::parse("p99<2ms");
  found.search.emplace(bench::searched_rate{limit, bench::rate_search{{.seconds = 30}}});
  auto& search = found.search->search;
  for (int i = 0; i < 2; ++i) {
    search.add(
        {.rate_per_second = 10'000, .answered_per_second = 9990, .measured = 1e6, .holds = true});
    search.add({.rate_per_second = 10'100,
                .answered_per_second = 9000,
                .measured = 9e6,
                .saturated = true});
  }
  const auto text = load_text(found, ascii);
  fits_80_columns(text);
  BOOST_TEST(says(text, "10,000       9,990  1.00 ms"), text);
  BOOST_TEST(says(text, "fails, saturated"), text);
  BOOST_TEST(says(text, "rate         10,000 messages/s: p99<2ms held there twice"), text);
  BOOST_TEST(says(text, "at 10,100/s the server is saturated"), text);
  BOOST_TEST(!says(text, "a longer --duration"), text);
}

BOOST_AUTO_TEST_CASE(a_search_that_ended_early_says_how_far_it_came) {
  auto found = result_of("c64/512");
  found.search.emplace(
      bench::searched_rate{bench::expectation::parse("p99<2ms"), bench::rate_search{{}}});
  for (int i = 0; i < 2; ++i) {
    found.search->search.add({.rate_per_second = 1000, .holds = true});
    found.search->search.add({.rate_per_second = 2000, .client_is_the_limit = true});
  }
  const auto text = load_text(found, ascii);
  BOOST_TEST(says(text, "between 1,000/s and 2,000/s; a longer --duration"), text);
  BOOST_TEST(says(text, "fails, by the client"), text);
  BOOST_TEST(says(text, "the client is the limit, not the server"), text);
}

BOOST_AUTO_TEST_CASE(each_host_of_a_load_has_a_row_and_a_slow_one_is_named) {
  auto found = result_of("c64/512/r10k");
  found.hosts = {
      {"a", 2, "", "", 4}, {"b", 1, "", "", 4}, {"c-with-a-long-name.example", 3, "", "", 4}};
  found.measured.hosts = {{"a", 8'000, 52, 90, 12, 0.4, 210, 0},
                          {"b", 4'000, 9'372, 12'345, 12, 0.4, 210, 17},
                          {"c-with-a-long-name.example", 8'000, 61, 99, 12, 0.96, 4'210, 0}};
  const auto text = load_text(found, ascii);
  fits_80_columns(text);
  BOOST_TEST(says(text, "load from 3 hosts, 6 generators\n"), text);
  BOOST_TEST(says(text, "a:2"), text);
  BOOST_TEST(says(text, "c-with-a-long-name.example:3"), text);
  BOOST_TEST(says(text, "slower       b: p50 9,372 us, of the others 56.5\n"), text);
  BOOST_TEST(!says(text, "slower       a"), text);
  BOOST_TEST(!says(text, "slower       c"), text);
}

BOOST_AUTO_TEST_CASE(hosts_some_microseconds_apart_are_not_called_slow) {
  auto found = result_of("c64/512");
  found.hosts = {{"a", 1, "", "", 4}, {"b", 1, "", "", 4}};
  found.measured.hosts = {{"a", 9'000, 50, 90, 0, 0.4, 210, 0},
                          {"b", 9'000, 140, 200, 0, 0.4, 210, 0}};
  BOOST_TEST(!says(load_text(found, ascii), "slower"));
  found.measured.hosts[1].p50_us = 151;
  BOOST_TEST(says(load_text(found, ascii), "slower       b"));
}

BOOST_AUTO_TEST_CASE(a_search_in_which_nothing_held_says_so) {
  auto found = result_of("c64/512");
  found.search.emplace(
      bench::searched_rate{bench::expectation::parse("p99<2ms"), bench::rate_search{{}}});
  for (int i = 0; i < 2; ++i) found.search->search.add({.rate_per_second = 1, .measured = 9e6});
  BOOST_TEST(says(load_text(found, ascii), "none: p99<2ms held twice at no rate"));
}

BOOST_AUTO_TEST_CASE(a_search_without_time_for_its_steps_says_that_it_cannot_tell) {
  auto found = result_of("c64/512");
  found.search.emplace(
      bench::searched_rate{bench::expectation::parse("p99<2ms"), bench::rate_search{{}}});
  const auto text = load_text(found, ascii);
  fits_80_columns(text);
  BOOST_TEST(says(text, "unknown: the time was too short to tell"), text);
  BOOST_TEST(!says(text, "limited"), text);
  found.end = bench::load_end::interrupted;
  BOOST_TEST(load_text(found, ascii).empty());
}

BOOST_AUTO_TEST_CASE(the_live_line_tells_of_the_last_second_only) {
  auto now = result_of("c64/512").measured;
  const auto before = now;
  now.seconds += 1;
  now.messages += 500;
  for (int i = 0; i < 500; ++i) now.latency_ns.record(1000);
  const auto text = bench::live_text(bench::difference(now, before), 4s, ascii);
  BOOST_TEST(says(text, "500 messages/s   p50 1.00 us"), text);
  BOOST_TEST(says(text, "left 0:04"), text);
}
