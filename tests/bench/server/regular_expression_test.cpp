#include <bench/server/regular_expression.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>
#include <vector>

using bench::regular_expression;
using parts = std::vector<std::string>;

BOOST_AUTO_TEST_CASE(a_pattern_is_found_anywhere_in_a_text) {
  const regular_expression pattern{"b+c|^x"};
  BOOST_TEST(pattern.is_in("abbbc"));
  BOOST_TEST(pattern.is_in("xy"));
  BOOST_TEST(!pattern.is_in("yx"));
  BOOST_TEST(!pattern.is_in(""));
}

BOOST_AUTO_TEST_CASE(groups_are_given_only_if_the_whole_text_matches) {
  const regular_expression pattern{"([a-z]+)/([0-9]+)?"};
  BOOST_TEST((pattern.parts_of("abc/12") == parts{"abc", "12"}));
  BOOST_TEST((pattern.parts_of("abc/") == parts{"abc", ""}));
  BOOST_TEST(!pattern.parts_of("abc/12 ").has_value());
  BOOST_TEST(!pattern.parts_of(" abc/12").has_value());
  BOOST_TEST(!pattern.parts_of("").has_value());
}

BOOST_AUTO_TEST_CASE(a_text_does_not_end_at_a_zero_byte) {
  const regular_expression pattern{"(a)"};
  BOOST_TEST(!pattern.parts_of(std::string("a\0b", 3)).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_pattern_is_refused) {
  BOOST_CHECK_THROW(regular_expression{"["}, std::invalid_argument);
  BOOST_CHECK_THROW(regular_expression{"a)("}, std::invalid_argument);
}
