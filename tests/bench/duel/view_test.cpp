// What of a duel is on the screen: a frozen moment, or the help.
#include <bench/duel/keys.hpp>
#include <bench/duel/view.hpp>

#include <boost/test/unit_test.hpp>
#include <string>

#include <tests/bench/duel/some_duel.hpp>

BOOST_AUTO_TEST_CASE(a_frozen_screen_stays_as_it_is_and_says_so) {
  auto match = some_duel(8);
  bench::duel_view view{nullptr};
  const auto shown = [&] { return text_of(view.lines(match, {80, 24}, true)); };
  BOOST_TEST(!view.takes('C', match));
  BOOST_TEST(view.takes(' ', match));
  const auto before = shown();
  BOOST_TEST(holds(before, "FROZEN round 9"), before);
  BOOST_TEST(holds(before, "frozen: measuring goes on"), before);
  play(match, 2, 0.95);
  BOOST_TEST(shown() == before);
  BOOST_TEST(view.takes(' ', match));
  BOOST_TEST(holds(shown(), "round 11"), shown());
  BOOST_TEST(!holds(shown(), "rozen"), shown());
}

BOOST_AUTO_TEST_CASE(the_help_explains_every_key_and_fits_into_80_columns) {
  auto match = some_duel(8);
  bench::duel_view view{nullptr};
  BOOST_TEST(view.takes('?', match));
  const auto screen = view.lines(match, {80, 24}, false);
  for (const auto& line : screen) BOOST_TEST(columns_of(text_of(line)) <= 80);
  const auto text = text_of(screen);
  for (const auto& each : bench::duel_keys_help())
    BOOST_TEST(holds(text, std::string{each.explanation}), each.explanation);
  BOOST_TEST(holds(text, "by itself"), text);
  BOOST_TEST(holds(text, "disturbs one server alone."), text);  // its last words
  BOOST_TEST(!view.takes('q', match));                          // quits at once
  BOOST_TEST(view.takes('C', match));  // any other key leaves the help first
  BOOST_TEST(!view.takes('C', match));
}
