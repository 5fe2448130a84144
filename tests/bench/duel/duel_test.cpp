// A duel without a terminal, and then in one.
#include <bench/analysis/analysis.hpp>
#include <bench/analysis/block_values.hpp>
#include <bench/duel/duel.hpp>
#include <bench/duel/keys.hpp>
#include <bench/duel/record.hpp>
#include <bench/duel/screen.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <thread>

#include <tests/scratch_folder.hpp>
#include <tests/terminal_process.hpp>

using namespace std::chrono_literals;
using bench::duel_action;
using bench::scenario;
namespace fs = std::filesystem;
namespace data = boost::unit_test::data;

namespace {

constexpr int plenty = 100'000;  // descriptors

struct press {
  char letter;
  const char* from;
  const char* to;  // empty: the key does nothing to this load
  friend std::ostream& operator<<(std::ostream& out, const press& each) {
    return out << each.letter << " on " << each.from;
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
                                 {'B', "c4096/16K", ""},
                                 {'D', "c1024/64K", ""},
                                 {'b', "c4096/1024K", "c4096/512K"}};

bench::slice timed(int launch, double cost_ns, double slowest_us = 900) {
  bench::slice each;
  each.server = launch == bench::base_launch ? "asio-callback/epoll" : "fibers/epoll";
  each.launch = launch;
  each.seconds = 0.1;
  each.messages = 4000;
  each.cpu_ns = cost_ns * 4000;
  each.p50_us = 612;
  each.p99_us = 834;
  each.max_us = slowest_us;
  return each;
}

// Rounds as a measurement would leave them: the left one costs `ratio` times as much.
void play(bench::duel& match, int rounds, double ratio) {
  std::mt19937 random{7};
  std::normal_distribution<double> noise{0, 0.02};
  for (int i = 0; i < rounds; ++i) {
    auto round = match.score().next_round();
    for (int position = 0; position < 8; ++position) {
      const double level = 5000 * std::exp(noise(random));
      round.slices.push_back(timed(bench::base_launch, level));
      round.slices.push_back(
          timed(bench::contender_launch, level * ratio * std::exp(noise(random))));
      match.score().show(*std::prev(round.slices.end(), 2), 1050);
      match.score().show(round.slices.back(), 1310);
    }
    match.score().count(round);
  }
}

bench::duel some_duel(int rounds = 20) {
  bench::duel match{"fibers/epoll", "asio-callback/epoll", scenario::parse("c64/512")};
  match.length = 600s;
  match.elapsed = 21s;
  play(match, rounds, 0.95);
  return match;
}

std::string text_of(const bench::screen_line& line) {
  std::string text;
  for (const auto& each : line) text += each.text;
  return text;
}

std::vector<std::string> screen_of(const bench::duel& match, bench::screen_size size,
                                   bool unicode = true) {
  std::vector<std::string> texts;
  for (const auto& line : bench::duel_screen(match, size, unicode)) texts.push_back(text_of(line));
  return texts;
}

int columns_of(const std::string& utf8) {
  return static_cast<int>(
      std::count_if(utf8.begin(), utf8.end(), [](char each) { return (each & 0xc0) != 0x80; }));
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& each : lines) text += each + '\n';
  return text;
}

// The columns between the ends of an interval; 0: it is not drawn.
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
const std::vector<window> usual_sizes{{80, 24}, {160, 50}, {100, 30}, {300, 90}, {76, 19}};
const std::vector<window> tiny_sizes{{50, 12}, {20, 5}, {1, 1}};

}  // namespace

BOOST_DATA_TEST_CASE(a_key_changes_the_load_within_its_limits, data::make(presses), pressed) {
  const auto action = bench::action_of(pressed.letter);
  BOOST_REQUIRE(action.has_value());
  const auto next = bench::changed_load(scenario::parse(pressed.from), *action, plenty);
  BOOST_TEST((next ? next->text() : "") == pressed.to);
}

BOOST_AUTO_TEST_CASE(connections_grow_only_as_far_as_there_are_descriptors) {
  const auto load = scenario::parse("c256/64");
  BOOST_TEST(!bench::changed_load(load, duel_action::more_connections, 1024).has_value());
  BOOST_TEST(bench::changed_load(load, duel_action::more_connections, 2048).has_value());
}

BOOST_AUTO_TEST_CASE(the_other_keys_leave_the_load_alone) {
  for (char letter : {'l', 'r', 's', 'q'}) {
    const auto action = bench::action_of(letter);
    BOOST_REQUIRE(action.has_value());
    BOOST_TEST(!bench::changed_load(scenario::parse("c64/512"), *action, plenty).has_value());
  }
  BOOST_CHECK(bench::action_of('l') == duel_action::pause_left);
  BOOST_CHECK(bench::action_of('r') == duel_action::pause_right);
  BOOST_CHECK(bench::action_of('s') == duel_action::save);
  BOOST_CHECK(bench::action_of('q') == duel_action::quit);
  for (int other : {int{'x'}, 27, 258, -1}) BOOST_TEST(!bench::action_of(other).has_value());
}

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
  for (const auto* part :
       {"c64/512", "64 connections", "round 21", "0:21 of 10:00", "fibers/epoll",
        "asio-callback/epoll", "messages/s", "40,000", "CPU a message, ns", "p50", "612", "p99",
        "slowest", "memory, KiB", "1,310", "█", "cheaper by "}) {
    BOOST_TEST(holds(text, part), part << " is not on\n" << text);
  }
  for (const auto* key : {"c- C+", "b- B+", "d- D+", "l r", "pause", "s save", "q quit"})
    BOOST_TEST(holds(screen.back(), key), key);
}

BOOST_AUTO_TEST_CASE(one_sees_the_interval_narrow) {
  for (const auto& [size, least] :
       {std::pair{bench::screen_size{80, 24}, 5U}, std::pair{bench::screen_size{160, 50}, 15U}}) {
    const auto rounds = rounds_on(screen_of(some_duel(40), size));
    BOOST_TEST(rounds.size() >= least);
    BOOST_TEST(holds(rounds.front(), "round 6 "), rounds.front());  // the first with an interval
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
  BOOST_TEST(holds(text, "c64/512          0.9"), text);  // what the other row has come to
  match.change_load(scenario::parse("c64/512"));
  text = joined(screen_of(match, {160, 50}));
  BOOST_TEST(holds(text, "round 21"), text);
  BOOST_TEST(holds(text, "goes on after 20 rounds"), text);
}

BOOST_AUTO_TEST_CASE(each_side_is_first_in_every_other_round) {
  auto match = some_duel(0);
  BOOST_TEST(match.score().next_round().order == "BA");
  play(match, 1, 1);
  BOOST_TEST(match.score().next_round().order == "AB");
}

BOOST_AUTO_TEST_CASE(a_duel_is_saved_as_a_run_with_its_reports) {
  auto match = some_duel(8);
  match.change_load(scenario::parse("c128/512"));
  play(match, 6, 1.1);
  match.change_load(scenario::parse("c256/512"));  // no round of it is complete
  bench::run_header header;
  header.started_utc = "2026-01-31T12:34:56Z";
  header.machine.cpus = 2;
  const scratch_folder folder;
  bench::write_run(bench::record_of(match, header, {}), folder / "run");
  const auto record = bench::read_run(folder / "run" / "run.ndjson");
  BOOST_TEST(record.header.suite == "duel");
  BOOST_TEST(record.header.scenarios.size() == 2U);
  BOOST_TEST(record.blocks.size() == 14U);
  BOOST_TEST(record.memory.size() == 4U);
  const auto report = folder.read("run/report.md");
  BOOST_TEST(holds(report, "cheaper by "), report);
  BOOST_TEST(holds(report, "dearer by "), report);
  BOOST_CHECK_THROW(bench::write_run(record, folder / "run"), std::exception);
}

BOOST_AUTO_TEST_CASE(who_disturbs_the_other_has_no_verdict_in_a_duel_and_none_in_its_report) {
  bench::duel match{"fibers/epoll", "fibers/io_uring", scenario::parse("c64/512")};
  play(match, 20, 0.5);
  BOOST_TEST(match.score().verdict().starts_with("n/a: fibers/epoll and fibers/io_uring "),
             match.score().verdict());
  const auto found = bench::analyse(bench::record_of(match, {}, {}));
  BOOST_CHECK(found.costs.front().verdict.what == bench::finding::unmeasured);
  BOOST_CHECK(bench::analyse(bench::record_of(some_duel(), {}, {})).costs.front().verdict.what ==
              bench::finding::cheaper);
}

namespace {

// echobench duel in a terminal of 80 x 24, in a folder of its own.
struct duel_in_a_terminal {
  void start(const std::vector<std::string>& servers) {
    const auto programs = fs::read_symlink("/proc/self/exe").parent_path();
    std::vector<std::string> command{programs / "echobench", "duel", "--allow-debug"};
    command.insert(command.end(), servers.begin(), servers.end());
    terminal.emplace(command, folder.path());
  }

  // Servers run in the folder from which they were started.
  int processes_left() const {
    int count = 0;
    std::error_code gone;
    for (const auto& each : fs::directory_iterator{"/proc"})
      if (fs::read_symlink(each.path() / "cwd", gone) == folder.path()) ++count;
    return count;
  }

  void check_left_in_order() {
    BOOST_TEST(holds(terminal->output(), "\033[?1049h"));
    const auto left = terminal->output().rfind("\033[?1049l");
    BOOST_TEST(left != std::string::npos);
    BOOST_TEST(terminal->output().rfind("\033[?1049h") < left);
    BOOST_TEST(terminal->is_as_it_was());
    for (int i = 0; i < 300 && processes_left() > 0; ++i) std::this_thread::sleep_for(10ms);
    BOOST_TEST(processes_left() == 0);
  }

  scratch_folder folder;
  std::optional<terminal_process> terminal;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(keys_in_a_terminal_change_pause_save_and_quit, duel_in_a_terminal) {
  start({"floor/epoll", "floor/epoll"});
  BOOST_TEST(terminal->shows("1 block is"));
  terminal->press("l");
  BOOST_TEST(terminal->shows("paused"));
  terminal->press("s");
  BOOST_TEST(terminal->waits_for([&] { return fs::exists(folder / "runs"); }));
  terminal->press("C");
  BOOST_TEST(terminal->shows("anew"));
  terminal->press("q");
  BOOST_TEST(terminal->exit_code() == 0, terminal->output());
  check_left_in_order();
  const auto& said = terminal->output();
  const auto afterwards = said.substr(said.rfind("\033[?1049l"));
  BOOST_TEST(holds(afterwards, "c64/512   floor/epoll against floor/epoll: "), afterwards);
  BOOST_TEST(holds(afterwards, "c128/512   "), afterwards);  // its first round may be complete
  BOOST_TEST(holds(afterwards, "/report.html"), afterwards);
  for (const auto& each : fs::directory_iterator{folder / "runs"})
    BOOST_TEST(!bench::read_run(each.path() / "run.ndjson").blocks.empty());
}

BOOST_DATA_TEST_CASE_F(duel_in_a_terminal, a_signal_gives_the_terminal_back,
                       data::make({SIGINT, SIGTERM}), number) {
  start({"floor/epoll", "floor/epoll"});
  BOOST_TEST(terminal->shows("messages/s"));
  // Itself, two servers, and who ends them if it cannot: all but while a round begins anew.
  BOOST_TEST(terminal->waits_for([&] { return processes_left() == 4; }));
  if (number == SIGINT)
    terminal->press("\003");
  else
    kill(terminal->pid(), number);
  BOOST_TEST(terminal->exit_code() == 130, terminal->output());
  check_left_in_order();
}

BOOST_FIXTURE_TEST_CASE(a_server_that_dies_gives_the_terminal_back, duel_in_a_terminal) {
  const auto odd = (fs::read_symlink("/proc/self/exe").parent_path() / "odd_server").string();
  start({"floor/epoll", "odd", "--server", "odd=" + odd + " dies"});
  BOOST_TEST(terminal->exit_code() == 3, terminal->output());
  check_left_in_order();
  const auto& said = terminal->output();
  BOOST_TEST(holds(said.substr(said.rfind("\033[?1049l")), "out of patience"), said);
}

BOOST_FIXTURE_TEST_CASE(a_duel_in_a_terminal_ends_by_itself, duel_in_a_terminal) {
  start({"floor/epoll", "floor/epoll", "--duration", "2s"});
  BOOST_TEST(terminal->exit_code() == 0, terminal->output());
  check_left_in_order();
}
