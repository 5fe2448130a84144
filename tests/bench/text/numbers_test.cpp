// Numbers as all reports write them.
#include <bench/text/numbers.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>

BOOST_AUTO_TEST_CASE(digits_of_whole_numbers_stand_in_groups) {
  BOOST_TEST(bench::ns_text(55.4) == "55");
  BOOST_TEST(bench::ns_text(-1379.6) == "-1,380");
  BOOST_TEST(bench::count_text(1'234'567) == "1,234,567");
  BOOST_TEST(bench::microseconds_text(8.416) == "8.42");
  BOOST_TEST(bench::microseconds_text(1166) == "1,166");
}

BOOST_AUTO_TEST_CASE(numbers_beyond_64_bits_are_shown_with_an_exponent) {
  BOOST_TEST(bench::ns_text(1e30) == "1e+30");
  BOOST_TEST(bench::count_text(-1.5e300) == "-1.5e+300");
  BOOST_TEST(bench::microseconds_text(std::numeric_limits<double>::infinity()) == "inf");
}
