// What a load found is written as JSON with units in its names.
#include <bench/load/outcome.hpp>

#include <bench/text/failure.hpp>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

using bench::load_outcome;
namespace json = boost::json;

namespace {

load_outcome found_on(const char* load) {
  load_outcome found{.target = "127.0.0.1:1",
                     .load = bench::scenario::parse(load),
                     .prefix = "GOT:",
                     .measured = {}};
  found.measured.seconds = 2;
  found.measured.messages = 1000;
  for (int i = 0; i < 1000; ++i) found.measured.latency_ns.record(64'000);
  return found;
}

json::value written(const load_outcome& found) {
  return json::parse(bench::outcome_json(found));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_load_from_hosts_says_what_each_measured) {
  BOOST_TEST(written(found_on("c4/64")).at("measured").at("hosts").is_null());
  auto found = found_on("c4/64");
  found.hosts = {{"a", 2, "", "", 4}, {"b", 1, "", "", 4}};
  found.measured.hosts = {{"a", 700, 60, 90, 0, 0.4, 210, 0}, {"b", 300, 64, 99, 0, 0.5, 320, 3}};
  found.measured.messages_in_all = 1500;
  const auto form = written(found);
  const auto& measured = form.at("measured");
  BOOST_TEST(measured.at("messages_in_all").to_number<int>() == 1500);
  const auto& hosts = measured.at("hosts").as_array();
  BOOST_REQUIRE(hosts.size() == 2u);
  BOOST_TEST(hosts[0].at("host").as_string() == "a");
  BOOST_TEST(hosts[0].at("generators").to_number<int>() == 2);
  BOOST_TEST(hosts[1].at("messages").to_number<int>() == 300);
  BOOST_TEST(hosts[1].at("p99_us").to_number<double>() == 99);
  BOOST_TEST(hosts[1].at("start_skew_us").to_number<double>() == 320);
  BOOST_TEST(hosts[1].at("retransmits").to_number<int>() == 3);
}

BOOST_AUTO_TEST_CASE(a_closed_loop_is_written_with_units_in_its_names) {
  const auto form = written(found_on("c4/64"));
  BOOST_TEST(form.at("load").as_string() == "c4/64");
  BOOST_TEST(form.at("end").as_string() == "complete");
  BOOST_TEST(form.at("failure").is_null());
  const auto& measured = form.at("measured");
  BOOST_TEST(measured.at("messages_per_second").to_number<double>() == 500);
  BOOST_TEST(measured.at("bytes_per_second_each_way").to_number<double>() == 32'000);
  BOOST_TEST(measured.at("open_loop").is_null());
  const auto& latency = measured.at("latency");
  BOOST_TEST(latency.at("count").to_number<int>() == 1000);
  BOOST_TEST(latency.at("p50_us").to_number<double>() == 64.0, boost::test_tools::tolerance(0.01));
  BOOST_TEST(latency.at("p99_us").is_double());
  BOOST_TEST(latency.at("p99_9_us").is_null());  // one value above it is chance
}

BOOST_AUTO_TEST_CASE(an_open_loop_tells_what_was_not_answered) {
  auto found = found_on("c4/64/r1k");
  found.measured.due = 2000;
  found.measured.unanswered = 1000;
  const auto form = written(found);
  const auto& measured = form.at("measured");
  const auto& open = measured.at("open_loop");
  BOOST_TEST(open.at("due_per_second").to_number<int>() == 1000);
  BOOST_TEST(open.at("unanswered_messages").to_number<int>() == 1000);
  BOOST_TEST(open.at("answered_share").to_number<double>() == 0.5);
  BOOST_TEST(open.at("saturated").as_bool());
  BOOST_TEST(measured.at("latency").at("p50_us").is_double());
  BOOST_TEST(measured.at("latency").at("p75_us").is_null());  // infinite
}

BOOST_AUTO_TEST_CASE(a_path_or_a_prefix_of_any_bytes_is_still_json) {
  auto found = found_on("c4/64");
  found.target = "/tmp/\x1b\xff";
  found.prefix = "\xfe";
  const auto form = written(found);
  BOOST_TEST(form.at("target").as_string() == "/tmp/\x1b\uFFFD");
  BOOST_TEST(form.at("reply_prefix").as_string() == "\uFFFD");
}

BOOST_AUTO_TEST_CASE(an_error_is_written_with_its_kind) {
  const auto kind_of = [](const auto& error) {
    auto found = found_on("c4/64");
    found.end = bench::load_end::failed;
    found.failure = bench::failure_of(error);
    return std::string{written(found).at("failure").at("kind").as_string()};
  };
  BOOST_TEST(kind_of(bench::wrong_reply{"a"}) == "wrong_reply");
  BOOST_TEST(kind_of(bench::connection_lost{"a"}) == "connection_lost");
  BOOST_TEST(kind_of(bench::no_answer{"a"}) == "no_answer");
  BOOST_TEST(kind_of(bench::cannot_connect{"a"}) == "cannot_connect");
  BOOST_TEST(kind_of(bench::run_invalid{"a"}) == "other");
}

BOOST_AUTO_TEST_CASE(expectations_are_written_with_what_was_measured) {
  auto found = found_on("c4/64");
  for (const auto* text : {"p99<1ms", "rate>1k"}) {
    const auto wanted = bench::expectation::parse(text);
    found.expectations.push_back({wanted, wanted.measured_by(found.measured)});
  }
  BOOST_TEST(!found.all_hold());
  const auto form = written(found);
  const auto& all = form.at("expectations").as_array();
  BOOST_TEST(all.at(0).at("holds").as_bool());
  BOOST_TEST(all.at(0).at("measured_us").to_number<double>() < 65);
  BOOST_TEST(!all.at(1).at("holds").as_bool());
  BOOST_TEST(all.at(1).at("measured_per_second").to_number<double>() == 500);
}

BOOST_AUTO_TEST_CASE(a_search_is_written_step_by_step) {
  auto found = found_on("c4/64");
  found.search.emplace(
      bench::searched_rate{bench::expectation::parse("p99<2ms"), bench::rate_search{{}}});
  for (int i = 0; i < 2; ++i)
    found.search->search.add({.rate_per_second = 5000, .measured = 1e6, .holds = true});
  const auto form = written(found);
  BOOST_TEST(form.at("measured").is_null());
  const auto& search = form.at("find_rate");
  BOOST_TEST(search.at("rate_per_second").to_number<double>() == 5000);
  BOOST_TEST(search.at("lowest_failing_per_second").is_null());
  BOOST_TEST(search.at("limited_by").as_string() == "none_met");
  BOOST_TEST(search.at("steps").as_array().at(1).at("measured_us").to_number<double>() == 1000);
}

BOOST_AUTO_TEST_CASE(a_failure_that_is_thrown_again_keeps_its_kind_and_its_text) {
  using namespace bench;
  const auto thrown_again = [](const std::exception& error) { throw_again(failure_of(error)); };
  const auto says_why = [](const std::exception& error) {
    return error.what() == std::string{"why"};
  };
  BOOST_CHECK_EXCEPTION(thrown_again(wrong_reply{"why"}), wrong_reply, says_why);
  BOOST_CHECK_EXCEPTION(thrown_again(connection_lost{"why"}), connection_lost, says_why);
  BOOST_CHECK_EXCEPTION(thrown_again(no_answer{"why"}), no_answer, says_why);
  BOOST_CHECK_EXCEPTION(thrown_again(cannot_connect{"why"}), cannot_connect, says_why);
  BOOST_CHECK_EXCEPTION(thrown_again(run_invalid{"why"}), run_invalid, says_why);
}
