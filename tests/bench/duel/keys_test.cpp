// What each key does. No key changes a load beyond its limits.
#include <bench/duel/keys.hpp>
#include <bench/record/scenario.hpp>
#include <bench/text/failure.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <string>
#include <vector>

using bench::duel_action;
using bench::scenario;
namespace data = boost::unit_test::data;

namespace {

constexpr bench::duel_limits plenty{.servers = 2, .descriptors = 100'000};

struct press {
  char32_t key;
  const char* from;
  const char* to;  // empty: the key does nothing to this load
  friend std::ostream& operator<<(std::ostream& out, const press& each) {
    return out << static_cast<int>(each.key) << " on " << each.from;
  }
};

const std::vector<press> presses{{'C', "c64/512", "c128/512"},
                                 {'c', "c64/512", "c32/512"},
                                 {'B', "c64/512", "c64/1K"},
                                 {'b', "c64/512", "c64/256"},
                                 {'D', "c64/512", "c64/512/d2"},
                                 {'d', "c64/512/d4", "c64/512/d2"},
                                 {'c', "c1/64", ""},
                                 {'C', "c4096/64", ""},
                                 {'C', "c3000/64", "c4096/64"},
                                 {'b', "c1/16", ""},
                                 {'b', "c1/20", "c1/16"},
                                 {'B', "c1/64K", ""},
                                 {'d', "c1/64", ""},
                                 {'D', "c1/64/d64", ""},
                                 {'M', "c64/512/r20k", "c64/512/r40k"},
                                 {'m', "c64/512/r1", ""},
                                 {'m', "c64/512/r3", "c64/512/r1"},
                                 {'M', "c64/512/r10000k", ""},
                                 {'M', "c64/512", ""},
                                 {'m', "c64/512", ""},
                                 {'C', "c64/512/r20k", "c128/512/r20k"},
                                 {'B', "c4096/8K", ""},
                                 {'D', "c512/64K", ""},
                                 {'D', "c4096/1024K", ""},
                                 {'b', "c4096/1024K", "c4096/512K"},
                                 {U'→', "c64/512", "c128/512"},
                                 {U'←', "c64/512", "c32/512"},
                                 {U'↑', "c64/512", "c64/1K"},
                                 {U'↓', "c64/512", "c64/256"}};

}  // namespace

BOOST_DATA_TEST_CASE(a_key_changes_the_load_within_its_limits, data::make(presses), pressed) {
  const auto action = bench::action_of(static_cast<int>(pressed.key));
  BOOST_REQUIRE(action.has_value());
  const auto next = bench::changed_load(scenario::parse(pressed.from), *action, plenty);
  BOOST_TEST((next ? next->text() : "") == pressed.to);
}

BOOST_AUTO_TEST_CASE(connections_grow_only_as_far_as_there_are_descriptors) {
  const auto grows = [](int servers, int descriptors) {
    return bench::changed_load(scenario::parse("c64/64"), duel_action::more_connections,
                               {servers, descriptors})
        .has_value();
  };
  BOOST_TEST(grows(2, 330));
  BOOST_TEST(!grows(2, 319));
  BOOST_TEST(!grows(3, 330));
  BOOST_TEST(grows(3, 448));
  BOOST_TEST(bench::load_limits({3, 330}).starts_with("1 to 88 connections, "));
}

BOOST_AUTO_TEST_CASE(bytes_under_way_count_those_to_every_server) {
  const auto load = scenario::parse("c256/64K");
  BOOST_TEST(bench::changed_load(load, duel_action::more_connections, plenty).has_value());
  BOOST_TEST(!bench::changed_load(load, duel_action::more_connections, {3, 100'000}).has_value());
}

BOOST_AUTO_TEST_CASE(a_first_load_with_too_few_descriptors_is_refused) {
  BOOST_CHECK_NO_THROW(bench::expect_descriptors(scenario::parse("c88/512"), {3, 330}));
  BOOST_CHECK_EXCEPTION(
      bench::expect_descriptors(scenario::parse("c89/512"), {3, 330}), bench::usage_error,
      [](const auto& error) {
        return std::string{error.what()} ==
               "--connections 89: for 3 servers, 330 open files (ulimit -n) are enough for 88 each";
      });
}

BOOST_AUTO_TEST_CASE(the_other_keys_leave_the_load_alone) {
  for (char letter : {'l', 'r', 's', ' ', '?', 'q'}) {
    const auto action = bench::action_of(letter);
    BOOST_REQUIRE(action.has_value());
    BOOST_TEST(!bench::changed_load(scenario::parse("c64/512"), *action, plenty).has_value());
  }
  BOOST_CHECK(bench::action_of('l') == duel_action::pause_left);
  BOOST_CHECK(bench::action_of('r') == duel_action::pause_right);
  BOOST_CHECK(bench::action_of('s') == duel_action::save);
  BOOST_CHECK(bench::action_of('q') == duel_action::quit);
  BOOST_CHECK(bench::action_of(' ') == duel_action::freeze);
  BOOST_CHECK(bench::action_of('?') == duel_action::help);
  for (int other : {int{'x'}, 27, 258, -1}) BOOST_TEST(!bench::action_of(other).has_value());
}
