// The order of a duel's servers, and duels in a terminal.
#include <bench/duel/duel.hpp>
#include <bench/record/record.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <tests/bench/duel/some_duel.hpp>
#include <tests/scratch_folder.hpp>
#include <tests/terminal_process.hpp>

using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_CASE(each_server_starts_first_in_its_turn) {
  bench::duel match{{"floor/epoll", "fibers/epoll", std::nullopt}, {}};
  BOOST_TEST(match.score().next_round().order == "AB");
  play(match, 1, 1);
  BOOST_TEST(match.score().next_round().order == "BA");
  auto three = some_duel(0);
  std::string first;
  for (int round = 0; round < 6; ++round) {
    first += three.score().next_round().order.front();
    play(three, 1, 1);
  }
  BOOST_TEST(first == "AFBAFB");
}

BOOST_AUTO_TEST_CASE(a_duel_says_what_each_costs_above_the_bare_loop) {
  const auto match = some_duel(30);
  const auto left = match.score().left_overhead();
  const auto right = match.score().right_overhead();
  BOOST_TEST(!left.range.value().excludes(5000 * (0.95 - 0.9)));
  BOOST_TEST(!right.range.value().excludes(5000 * (1 - 0.9)));
  BOOST_TEST(left.range->high < right.range->low);
  BOOST_TEST(left.n == 30);
}

BOOST_AUTO_TEST_CASE(a_duel_forecasts_nothing) {
  bench::duel match{{"asio-callback/epoll", "fibers/epoll", std::nullopt}, {}};
  for (int round = 0; round < 6; ++round) play(match, 1, round % 2 == 0 ? 0.9 : 1.1);
  const auto said = match.score().verdict();
  BOOST_TEST(holds(said, "inconclusive: the truth lies in ["), said);
  BOOST_TEST(said.ends_with("] %"), said);
}

BOOST_AUTO_TEST_CASE(a_duel_is_settled_when_its_verdict_is) {
  bench::duel match{{"asio-callback/epoll", "fibers/epoll", std::nullopt}, {}};
  BOOST_TEST(!match.score().is_settled());
  for (int round = 0; round < 6; ++round) play(match, 1, round % 2 == 0 ? 0.9 : 1.1);
  BOOST_TEST(!match.score().is_settled());
  bench::duel clear{{"asio-callback/epoll", "fibers/epoll", std::nullopt}, {}};
  play(clear, 3, 0.9);
  BOOST_TEST(!clear.score().is_settled());
  for (int round = 0; round < 3; ++round) play(clear, 1, 0.9 + 0.01 * round);
  BOOST_TEST(clear.score().is_settled());
  bench::duel unlike{{"fibers/io_uring", "fibers/epoll", std::nullopt}, {}};
  play(unlike, 20, 0.5);
  BOOST_TEST(!unlike.score().is_settled());
}

BOOST_AUTO_TEST_CASE(a_duel_of_which_others_took_the_processor_has_no_verdict) {
  bench::duel match{{"asio-callback/epoll", "fibers/epoll", std::nullopt}, {}};
  play(match, 20, 0.9);
  BOOST_TEST(match.score().is_settled());
  for (auto& round : match.score().rounds) round.foreign_cpu_share = 0.5;
  BOOST_TEST(match.score().verdict() == "n/a: other programs took 50 % of the servers' processor");
  BOOST_TEST(!match.score().is_settled());
}

BOOST_AUTO_TEST_CASE(a_server_that_answers_less_than_what_is_due_has_no_verdict_in_a_duel) {
  bench::duel match{{"asio-callback/epoll", "fibers/epoll", std::nullopt},
                    bench::scenario::parse("c64/512/r42k")};
  play(match, 20, 0.9);
  const auto due_to = [&](int launch, std::int64_t due) {
    for (auto& round : match.score().rounds)
      for (auto& each : round.slices)
        if (each.launch == launch) each.open_loop = bench::open_loop_times{.due = due};
  };
  due_to(bench::base_launch, 4000);
  due_to(bench::contender_launch, 4010);
  BOOST_TEST(holds(match.score().verdict(), "fibers/epoll against asio-callback/epoll: lower by"));
  BOOST_TEST(match.score().is_settled());
  due_to(bench::base_launch, 5000);
  BOOST_TEST(match.score().verdict() ==
             "n/a: asio-callback/epoll is saturated, it answered 80.0 % of what was due");
  BOOST_TEST(!match.score().is_settled());
  for (auto& round : match.score().rounds)
    for (auto& each : round.slices) each.client_utilisation = 1;
  BOOST_TEST(match.score().verdict() == "n/a: the client cannot send as much as is due");
}

BOOST_AUTO_TEST_CASE(a_round_without_a_ratio_is_complete) {
  bench::duel match{{"asio-callback/epoll", "fibers/epoll", std::nullopt}, {}};
  BOOST_TEST(match.score().verdict() == "no round is complete");
  match.happen({.round_ends = bench::disturbance{}});  // it has no slices
  BOOST_TEST(match.score().verdict() == "no round has a ratio");
}

BOOST_AUTO_TEST_CASE(who_stops_a_duel_of_equals_at_its_first_verdict_is_seldom_wrong) {
  // Watched until round 40. With an interval for one look, about one in four would be wrong.
  std::mt19937 random{20260131};
  std::normal_distribution<double> noise{0, 0.015};
  int wrong = 0;
  for (int trial = 0; trial < 100; ++trial) {
    bench::duel match{{"asio-callback/epoll", "fibers/epoll", std::nullopt}, {}};
    for (int round = 0; round < 40; ++round) {
      auto played = match.score().next_round();
      for (int launch : {bench::base_launch, bench::contender_launch})
        played.slices.push_back(timed(launch, 5000 * std::exp(noise(random))));
      match.score().count(played);
      if (match.score().ratio().range && match.score().ratio().range->excludes(1)) {
        ++wrong;
        break;
      }
    }
  }
  BOOST_TEST(wrong <= 5);
}

namespace {

// echobench duel in a pseudo-terminal and in a temporary folder.
struct duel_in_a_terminal {
  void start(const std::vector<std::string>& words) {
    const auto programs = fs::read_symlink("/proc/self/exe").parent_path();
    std::vector<std::string> command{programs / "echobench", "duel"};
    command.insert(command.end(), words.begin(), words.end());
    if (words.front() != "--replay") command.push_back("--allow-debug");
    terminal.emplace(command, folder.path());
  }

  // Counts the processes whose working directory is that folder. Servers inherit it from echobench.
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

BOOST_FIXTURE_TEST_CASE(keys_in_a_terminal_explain_freeze_and_turn_the_dials, duel_in_a_terminal) {
  start({"floor/epoll", "floor/epoll", "--record", "duel.ndjson"});
  BOOST_TEST(terminal->shows("messages/s"));
  terminal->press("?");
  BOOST_TEST(terminal->shows("half or twice as many connections"));
  terminal->press("x ");  // leaves the help, then freezes
  BOOST_TEST(terminal->shows("FROZEN"));
  terminal->press(" \033OC");  // the right arrow
  BOOST_TEST(terminal->shows("changed to c128/512"));
  terminal->press("q");
  BOOST_TEST(terminal->exit_code() == 0, terminal->output());
  check_left_in_order();

  // The replay shows the same, and waits at its end.
  start({"--replay", "duel.ndjson", "--speed", "100"});
  for (const auto* part : {"half or twice as many connections", "FROZEN", "changed to c128/512",
                           "the recording ends here"})
    BOOST_TEST(terminal->shows(part), part);
  terminal->press("C");
  BOOST_TEST(terminal->shows("in a replay"));
  terminal->press("q");
  BOOST_TEST(terminal->exit_code() == 0, terminal->output());
  check_left_in_order();
}

BOOST_FIXTURE_TEST_CASE(a_recording_that_cannot_begin_is_refused_before_a_server_starts,
                        duel_in_a_terminal) {
  folder.write("duel.ndjson", "mine");
  const std::string server = "odd=sh -c 'echo > started'";
  start({"floor/epoll", "odd", "--server", server, "--record", "duel.ndjson"});
  BOOST_TEST(terminal->exit_code() == 2);
  BOOST_TEST(holds(terminal->output(), "--record 'duel.ndjson' exists"), terminal->output());
  BOOST_TEST(folder.read("duel.ndjson") == "mine");
  start({"floor/epoll", "odd", "--server", server, "--record", "new/duel.ndjson"});
  BOOST_TEST(terminal->exit_code() == 2);
  BOOST_TEST(holds(terminal->output(), "--record 'new/duel.ndjson': there is no folder"));
  BOOST_TEST(!fs::exists(folder / "new"));
  BOOST_TEST(!fs::exists(folder / "started"));
}

BOOST_FIXTURE_TEST_CASE(a_duel_that_cannot_be_saved_says_why_and_goes_on, duel_in_a_terminal) {
  folder.write("runs", "");  // a file, where a folder has to be made
  start({"floor/epoll", "floor/epoll"});
  BOOST_TEST(terminal->shows("1 block is"));
  terminal->press("s");
  BOOST_TEST(terminal->shows("not saved: cannot write runs/"), terminal->output());
  terminal->press("l");
  BOOST_TEST(terminal->shows("paused"));
  terminal->press("q");
  BOOST_TEST(terminal->exit_code() == 0, terminal->output());
  check_left_in_order();
}

BOOST_DATA_TEST_CASE_F(duel_in_a_terminal, a_signal_gives_the_terminal_back,
                       data::make({SIGINT, SIGTERM}), number) {
  start({"floor/epoll", "floor/epoll"});
  BOOST_TEST(terminal->shows("messages/s"));
  // echobench, two servers and the keeper. Between rounds, while servers restart, there are fewer.
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

BOOST_FIXTURE_TEST_CASE(a_duel_that_fails_says_first_what_it_measured, duel_in_a_terminal) {
  const auto odd = (fs::read_symlink("/proc/self/exe").parent_path() / "odd_server").string();
  // It is started once before the first round. In the third round it does not start.
  folder.write("server.sh",
               "echo >> starts; [ $(wc -l < starts) -lt 4 ] && exec " + odd + " honest $1\n");
  start({"floor/epoll", "odd", "--server", "odd=sh server.sh {port}"});
  BOOST_TEST(terminal->exit_code() == 3, terminal->output());
  check_left_in_order();
  const auto& said = terminal->output();
  const auto afterwards = said.substr(said.rfind("\033[?1049l"));
  const auto result = afterwards.find("inconclusive: 2 blocks are");
  BOOST_TEST(result < afterwards.find("echobench: "), afterwards);
}

BOOST_FIXTURE_TEST_CASE(a_duel_in_a_terminal_ends_by_itself, duel_in_a_terminal) {
  start({"floor/epoll", "floor/epoll", "--duration", "2s"});
  BOOST_TEST(terminal->exit_code() == 0, terminal->output());
  check_left_in_order();
}
