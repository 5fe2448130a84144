// A limit is read, compared with what a load measured, and shown in its own unit.
#include <bench/load/expectation.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

namespace data = boost::unit_test::data;
using bench::expectation;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
const double none = std::nan("");

struct bound {
  const char* text;
  double inside;
  double outside;
  friend std::ostream& operator<<(std::ostream& out, const bound& each) { return out << each.text; }
};

// Nanoseconds, or messages per second.
const std::vector<bound> bounds{
    {"p99<2ms", 1.999e6, 2e6},
    {"p99 <= 2 ms", 2e6, 2.001e6},
    {"p50<80us", 79e3, 80e3},
    {"p99.9<500µs", 499e3, 501e3},
    {"max<1s", 0.9e9, 1e9},
    {"p100<7ns", 6, 8},
    {"rate>100k", 100'001, 100'000},
    {"rate>=1.5M", 1.5e6, 1.4e6},
    {"rate>20000", 20'001, 2e4},
    {"p99>1ms", 1.1e6, 1e6},
    {"rate<10", 9, 10},
};

const std::vector<std::string> no_limits{
    "",        "p99",     "p99<",      "<2ms",      "p99<2",     "p99<2m",        "p99<-2ms",
    "p99<0ms", "p0<2ms",  "p101<2ms",  "p<2ms",     "p99=2ms",   "p99<<2ms",      "p99<2msx",
    "rate>2s", "rate>1e", "mean<2ms",  "p99<nanms", "p99<infms", "p1e1<2ms",      "p99<1e999s",
    "p99>",    "rate",    "ratee>10k", "p99<=",     "p99=>2ms",  "p99<2ms,max<1s"};

}  // namespace

BOOST_DATA_TEST_CASE(a_limit_holds_on_its_side_only, data::make(bounds), each) {
  const auto limit = expectation::parse(each.text);
  BOOST_TEST(limit.holds(each.inside));
  BOOST_TEST(!limit.holds(each.outside));
  BOOST_TEST(!limit.holds(none));
}

BOOST_DATA_TEST_CASE(what_is_no_limit_is_refused_with_an_example, data::make(no_limits), text) {
  BOOST_CHECK_EXCEPTION(expectation::parse(text), std::invalid_argument, [](const auto& error) {
    return std::string{error.what()}.find("such as p99<2ms") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_measured_value_is_shown_in_the_unit_of_its_limit) {
  const auto limit = expectation::parse("p99 < 2ms");
  BOOST_TEST(limit.text() == "p99<2ms");
  BOOST_TEST(limit.in_its_unit(1.8e6) == "1.80 ms");
  BOOST_TEST(limit.in_its_unit(infinite) == "never");
  BOOST_TEST(limit.in_its_unit(none) == "too few messages");
  BOOST_TEST(expectation::parse("rate>1k").in_its_unit(84'000) == "84,000/s");
}

BOOST_AUTO_TEST_CASE(a_message_without_a_reply_counts_as_infinitely_late) {
  bench::load_sample sample;
  BOOST_TEST(std::isnan(sample.response_ns(50)));
  for (int i = 0; i < 90; ++i) sample.latency_ns.record(100);
  sample.unanswered = 10;
  BOOST_TEST(sample.response_ns(50) == 100);
  BOOST_TEST(sample.response_ns(90) == 100);
  BOOST_TEST(sample.response_ns(91) == infinite);
  BOOST_TEST(!expectation::parse("p99<1s").holds(expectation::parse("p99<1s").measured_by(sample)));
  sample.latency_ns = {};
  BOOST_TEST(sample.response_ns(1) == infinite);
}

BOOST_AUTO_TEST_CASE(a_percentile_of_too_few_messages_does_not_hold) {
  const auto limit = expectation::parse("p99<1s");
  const auto longest = expectation::parse("max<1s");
  bench::load_sample sample;
  BOOST_TEST(!longest.holds(longest.measured_by(sample)));
  for (int i = 0; i < 989; ++i) sample.latency_ns.record(100);
  BOOST_TEST(!limit.holds(limit.measured_by(sample)));
  BOOST_TEST(limit.in_its_unit(limit.measured_by(sample)) == "too few messages");
  BOOST_TEST(longest.holds(longest.measured_by(sample)));
  for (int i = 0; i < 11; ++i) sample.latency_ns.record(100);
  BOOST_TEST(limit.holds(limit.measured_by(sample)));
}

BOOST_AUTO_TEST_CASE(a_limit_says_how_many_messages_suffice_for_it) {
  for (const auto& [text, messages] : std::vector<std::pair<const char*, double>>{
           {"p50<1s", 100}, {"p99<1s", 1000}, {"p99.9<1s", 10'000}, {"max<1s", 100}})
    BOOST_TEST(expectation::parse(text).least_messages() == messages,
               boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(a_rate_of_messages_is_that_of_the_answered_ones) {
  bench::load_sample sample;
  sample.seconds = 2;
  sample.messages = 3000;
  sample.due = 4000;
  BOOST_TEST(expectation::parse("rate>1k").measured_by(sample) == 1500);
  BOOST_TEST(sample.saturated());
  sample.messages = 3990;
  BOOST_TEST(!sample.saturated());
}

BOOST_AUTO_TEST_CASE(a_short_run_is_not_called_saturated_for_what_is_under_way_at_its_end) {
  bench::load_sample sample;
  sample.seconds = 0.5;
  sample.due = 5000;
  sample.messages = 4800;
  BOOST_TEST(sample.saturated());
  for (int i = 0; i < 4800; ++i) sample.latency_ns.record(20'000'000);
  BOOST_TEST(!sample.saturated());  // 200 messages become due in these 20 ms
  sample.messages = 4700;
  BOOST_TEST(sample.saturated());
}

BOOST_AUTO_TEST_CASE(a_long_median_does_not_hide_that_messages_got_no_reply) {
  bench::load_sample sample;
  sample.seconds = 1;
  sample.due = 1000;
  sample.messages = 500;
  for (int i = 0; i < 500; ++i) sample.latency_ns.record(500'000'000);
  sample.unanswered = 10;
  BOOST_TEST(!sample.saturated());
  sample.unanswered = 11;
  BOOST_TEST(sample.saturated());
}

BOOST_AUTO_TEST_CASE(a_queue_that_grows_does_not_pass_for_messages_under_way) {
  bench::load_sample sample;  // of a server that answers 233/s of 236.6/s, at first after 9 ms
  sample.seconds = 5;
  sample.due = 1183;
  sample.messages = 1163;
  for (std::uint64_t i = 0; i < 1163; ++i) sample.latency_ns.record(9'000'000 + i * 65'000);
  BOOST_TEST(!sample.saturated());
  BOOST_TEST(sample.falls_behind());
  sample.latency_ns = {};
  for (int i = 0; i < 1160; ++i) sample.latency_ns.record(100'000'000);
  sample.messages = 1160;  // the other 23 are under way
  BOOST_TEST(!sample.falls_behind());
}

BOOST_AUTO_TEST_CASE(a_client_is_late_if_most_of_the_time_is_its_own_delay) {
  bench::load_sample sample;
  sample.due = 100;
  for (int i = 0; i < 100; ++i) {
    sample.latency_ns.record(1000);
    sample.late_ns.record(400);
  }
  BOOST_TEST(!sample.client_is_late());
  for (int i = 0; i < 100; ++i) sample.late_ns.record(600);
  BOOST_TEST(sample.client_is_late());
  sample.unanswered = 10;  // a stalled server is not the client's fault
  BOOST_TEST(!sample.client_is_late());
  sample.unanswered = 0;
  sample.due = 0;  // a closed loop is never late
  BOOST_TEST(!sample.client_is_late());
}

BOOST_AUTO_TEST_CASE(a_rate_is_a_number_with_k_or_M) {
  const std::vector<std::pair<const char*, int>> rates{
      {"1", 1}, {"20000", 20'000}, {"20k", 20'000}, {"1.5k", 1500}, {"10M", 10'000'000}};
  for (const auto& [text, rate] : rates) BOOST_TEST(bench::parse_rate(text).value() == rate, text);
  for (const auto* text : {"", "0", "-1", "0.2", "11M", "20K", "20 k", "fast", "nan", "inf", "k"})
    BOOST_TEST(!bench::parse_rate(text).has_value(), text);
}
