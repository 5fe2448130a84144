// The screen of a duel: its size and its contents.
#include <bench/duel/screen.hpp>

#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <iterator>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <tests/bench/duel/some_duel.hpp>

using bench::scenario;
namespace data = boost::unit_test::data;
namespace tt = boost::test_tools;

namespace {

std::vector<std::string> screen_of(const bench::duel& match, bench::screen_size size,
                                   bool unicode = true) {
  std::vector<std::string> texts;
  for (const auto& line : bench::duel_screen(match, size, unicode)) texts.push_back(text_of(line));
  return texts;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& each : lines) text += each + '\n';
  return text;
}

// The width of the drawn interval in columns. 0: none is drawn.
int drawn_width(const std::string& line) {
  const auto left = line.find("├");
  const auto right = line.find("┤");
  return left == std::string::npos ? 0 : columns_of(line.substr(left, right - left));
}

std::vector<std::string> rounds_on(const std::vector<std::string>& screen) {
  std::vector<std::string> found;
  for (const auto& each : screen)
    if (each.starts_with("  round ")) found.push_back(each);
  return found;
}

struct window {
  int width;
  int height;
  friend std::ostream& operator<<(std::ostream& out, const window& each) {
    return out << each.width << " x " << each.height;
  }
};
const std::vector<window> wide_sizes{{80, 24}, {120, 40}, {200, 60}, {100, 30}, {300, 90}};
const std::vector<window> usual_sizes{{80, 24},  {120, 40}, {200, 60}, {100, 30},
                                      {300, 90}, {76, 19},  {60, 16}};
const std::vector<window> tiny_sizes{{59, 24}, {80, 15}, {50, 12}, {20, 5}, {1, 1}};

}  // namespace

BOOST_DATA_TEST_CASE(the_screen_is_as_high_as_the_terminal_and_never_wider,
                     data::make(usual_sizes) + data::make(tiny_sizes), size) {
  auto match = some_duel();
  match.note = std::string(400, 'n');
  for (bool unicode : {true, false}) {
    const auto screen = screen_of(match, {size.width, size.height}, unicode);
    BOOST_TEST(screen.size() == static_cast<std::size_t>(size.height));
    for (const auto& line : screen) BOOST_TEST(columns_of(line) <= size.width, line);
  }
}

BOOST_DATA_TEST_CASE(the_screen_says_what_it_must, data::make(usual_sizes), size) {
  const auto screen = screen_of(some_duel(), {size.width, size.height});
  const auto text = joined(screen);
  for (const auto* part : {"c64/512", "64 connections", "round 21", "0:21 of 10:00", "fibers/epoll",
                           "asio-callback/epoll", "messages/s", "40,000", "CPU/message, ns",
                           "above bare loop", "p50", "612", "p99", "slowest", "memory, KiB",
                           "1,310", "lower by ", "messages/s 1.000 [", "CPU/message 0.9"}) {
    BOOST_TEST(holds(text, part), part << " is not on\n" << text);
  }
  for (const auto* key : {"c- C+", "b- B+", "d- D+", "l r", "s", "?", "q"})
    BOOST_TEST(holds(screen.back(), key), key);
}

BOOST_DATA_TEST_CASE(where_there_is_room_the_bare_loop_stands_beside_the_two,
                     data::make(wide_sizes), size) {
  const auto screen = screen_of(some_duel(), {size.width, size.height});
  BOOST_TEST(holds(screen[1], "floor/epoll "), screen[1]);
  const auto text = joined(screen);
  for (const auto* part : {"█", "512 \n", "pause", "s save", "? help", "q quit"})
    BOOST_TEST(holds(text, part), part << " is not on\n" << text);
  bench::duel without{{"floor/epoll", "fibers/epoll", std::nullopt}, {}};
  play(without, 8, 1);
  BOOST_TEST(!holds(joined(screen_of(without, {size.width, size.height})), "above"));
}

BOOST_DATA_TEST_CASE(where_there_is_no_room_the_verdict_remains, data::make(tiny_sizes), size) {
  if (size.width < 20) return;
  const auto text = joined(screen_of(some_duel(), {size.width, size.height}));
  BOOST_TEST(text.starts_with("fibers/epoll against"), text);
  BOOST_TEST(holds(text, "lower"), text);
}

BOOST_AUTO_TEST_CASE(the_numbers_are_means_over_two_seconds) {
  auto match = some_duel();
  for (int i = 0; i < 20; ++i)
    match.score().show(timed(bench::contender_launch, i % 2 == 0 ? 1000 : 3000), 1310);
  BOOST_TEST(match.score().left.recent(bench::cost_of).value() == 2000, tt::tolerance(1e-9));
  const auto text = joined(screen_of(match, {80, 24}));
  BOOST_TEST(holds(text, " 2,000 "), text);
  BOOST_TEST(holds(text, "means over 2 s"), text);
}

BOOST_AUTO_TEST_CASE(a_large_terminal_has_longer_sparklines_and_a_higher_plot) {
  const auto match = some_duel(60);
  const auto small = screen_of(match, {80, 24});
  const auto large = screen_of(match, {200, 60});
  BOOST_TEST(rounds_on(small).size() == 5U);
  BOOST_TEST(rounds_on(large).size() > 20U);
  const auto full_bars = [](const std::vector<std::string>& screen) {
    const auto text = joined(screen);
    std::size_t count = 0;
    for (auto at = text.find("█"); at != std::string::npos; at = text.find("█", at + 1)) ++count;
    return count;
  };
  BOOST_TEST(full_bars(large) > 4 * full_bars(small));
}

BOOST_AUTO_TEST_CASE(one_sees_the_interval_narrow) {
  for (const auto& [size, least] :
       {std::pair{bench::screen_size{80, 24}, 5U}, std::pair{bench::screen_size{160, 50}, 15U}}) {
    const auto rounds = rounds_on(screen_of(some_duel(40), size));
    BOOST_TEST(rounds.size() >= least);
    BOOST_TEST(holds(rounds.front(), "round 4 "), rounds.front());  // the first with an interval
    BOOST_TEST(holds(rounds.back(), "round 40 "), rounds.back());
    BOOST_TEST(drawn_width(rounds.back()) > 0);
    BOOST_TEST(drawn_width(rounds.front()) > 2 * drawn_width(rounds.back()));
  }
}

BOOST_AUTO_TEST_CASE(without_utf_8_the_screen_is_ascii) {
  const auto text = joined(screen_of(some_duel(), {80, 24}, false));
  BOOST_TEST(std::all_of(text.begin(), text.end(), [](char each) { return each > 0; }), text);
  BOOST_TEST(holds(text, "|--"), text);
}

BOOST_AUTO_TEST_CASE(a_pause_is_seen_on_its_side_alone) {
  auto match = some_duel();
  match.score().show(timed(bench::contender_launch, 5000, 104'000), 1310);
  const auto screen = screen_of(match, {80, 24});
  const auto slowest = std::find_if(screen.begin(), screen.end(), [](const std::string& line) {
    return line.starts_with("slowest");
  });
  BOOST_REQUIRE(slowest != screen.end());
  BOOST_TEST(holds(*slowest, "104,000"));
  BOOST_TEST(holds(*slowest, " 900"));
  const auto bars = *std::next(slowest);
  BOOST_TEST(bars.find("█") == bars.rfind("█"));
  BOOST_TEST(columns_of(bars.substr(0, bars.find("█"))) < 50);
}

BOOST_AUTO_TEST_CASE(another_load_is_another_row_and_the_screen_says_so) {
  auto match = some_duel(20);
  match.change_load(scenario::parse("c128/512"));
  auto text = joined(screen_of(match, {160, 50}));
  BOOST_TEST(holds(text, "round 1 "), text);
  BOOST_TEST(holds(text, "no round is complete"), text);
  BOOST_TEST(holds(text, "load changed to c128/512: another row, its score begins anew"), text);
  BOOST_TEST(holds(text, "c64/512          0.9"), text);  // the other row's ratio
  match.change_load(scenario::parse("c64/512"));
  text = joined(screen_of(match, {160, 50}));
  BOOST_TEST(holds(text, "round 21"), text);
  BOOST_TEST(holds(text, "goes on after 20 rounds"), text);
}
