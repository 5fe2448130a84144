#include <bench/contract/printable.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

using bench::printable;
using bench::valid_utf8;

BOOST_AUTO_TEST_CASE(text_that_can_be_shown_stays_as_it_is) {
  for (const std::string text : {"", "fibers/epoll", "a\\x1B", "ä µ 漢 🙂 \u00A0"}) {
    BOOST_TEST(printable(text) == text);
    BOOST_TEST(valid_utf8(text) == text);
  }
}

BOOST_AUTO_TEST_CASE(control_characters_are_shown_as_numbers) {
  BOOST_TEST(printable("a\nb\t\x1B[31m\x7F") == "a\\x0Ab\\x09\\x1B[31m\\x7F");
  BOOST_TEST(printable("\u0085\u009B") == "\\xC2\\x85\\xC2\\x9B");
  BOOST_TEST(printable(std::string(1, '\0')) == "\\x00");
}

// Single bytes, a character cut short, one that is longer than it need be, half of a surrogate
// pair, and one beyond U+10FFFF.
BOOST_AUTO_TEST_CASE(bytes_that_are_no_utf8_are_shown_as_numbers_and_replaced_in_json) {
  for (const auto& [text, shown, replaced] :
       {std::tuple{"caf\xE9", "caf\\xE9", "caf\uFFFD"},
        {"\xE6\xBC!", "\\xE6\\xBC!", "\uFFFD\uFFFD!"},
        {"\xC0\xAF", "\\xC0\\xAF", "\uFFFD\uFFFD"},
        {"\xE0\x80\xAF", "\\xE0\\x80\\xAF", "\uFFFD\uFFFD\uFFFD"},
        {"\xED\xA0\x80", "\\xED\\xA0\\x80", "\uFFFD\uFFFD\uFFFD"},
        {"\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"}}) {
    BOOST_TEST(printable(text) == shown);
    BOOST_TEST(valid_utf8(text) == replaced);
  }
}
