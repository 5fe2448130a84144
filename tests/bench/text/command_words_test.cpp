// split_words() is the inverse of join_words().
#include <bench/text/command_words.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace data = boost::unit_test::data;

BOOST_DATA_TEST_CASE(words_that_were_joined_come_apart_as_they_were,
                     data::make(std::vector<std::string>{
                         "plain", "", "two words", "it's", "\"quoted\"", "a\\b", "$HOME",
                         "--a='b c'", "mine=./my_echo --greeting 'good day' --port {port}", "'",
                         "''", "ü"}),
                     word) {
  const std::vector<std::string> words{"echobench", word, "--rounds", word};
  const auto back = bench::split_words(bench::join_words(words));
  BOOST_CHECK_EQUAL_COLLECTIONS(back.begin(), back.end(), words.begin(), words.end());
}
