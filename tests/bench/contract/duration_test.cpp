#include <bench/contract/duration.hpp>
#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;
using bench::parse_duration;

BOOST_AUTO_TEST_CASE(a_duration_is_a_number_and_its_unit) {
  BOOST_CHECK(parse_duration("7ns").value() == 7ns);
  BOOST_CHECK(parse_duration("50us").value() == 50us);
  BOOST_CHECK(parse_duration("1.5ms").value() == 1500us);
  BOOST_CHECK(parse_duration("30s").value() == 30s);
  BOOST_CHECK(parse_duration("2m").value() == 2min);
  BOOST_CHECK(parse_duration("0").value() == 0ns);
  BOOST_CHECK(parse_duration("0s").value() == 0ns);
  BOOST_CHECK(parse_duration("86400s").value() == 24h);
}

BOOST_AUTO_TEST_CASE(what_is_no_duration_is_absent) {
  for (const auto* text :
       {"", "s", "5", "soon", "-1s", "+1s", "1 s", "1h", "1ss", "nans", "infs", "86401s", "1e300s"})
    BOOST_TEST(!parse_duration(text).has_value(), text);
}
