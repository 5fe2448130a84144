#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bench/duel/recording.hpp>
#include <bench/record/record.hpp>
#include <bench/selftest/odd_server.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include <tests/bench/command/echobench.hpp>
#include <tests/bench/synthetic_run.hpp>
#include <tests/sanitized.hpp>

using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace data = boost::unit_test::data;

namespace {

std::string path_of(const std::string& program) {
  return (fs::read_symlink("/proc/self/exe").parent_path() / program).string();
}

std::string state_of(pid_t process) {
  std::ifstream stat{"/proc/" + std::to_string(process) + "/stat"};
  std::string number, name, state;
  stat >> number >> name >> state;
  return state;
}

struct refusal {
  words arguments;
  std::string says;
  friend std::ostream& operator<<(std::ostream& out, const refusal& each) {
    for (const auto& word : each.arguments) out << word << ' ';
    return out;
  }
};

const std::vector<refusal> refusals{
    {{}, "which command?"},
    {{"race"}, "unknown command 'race'"},
    {{"run", "--colour"}, "--colour"},
    {{"run", "--suit", "quick"}, "--suit"},
    {{"run", "now"}, "unexpected argument 'now'"},
    {{"run", "--suite", "slow"}, "--suite 'slow' is none of quick, default, thorough"},
    {{"run", "--rounds", "many"}, "--rounds"},
    {{"run", "--rounds", "0"}, "--rounds 0"},
    {{"run", "--seed", "x"}, "--seed"},
    {{"run", "--servers", "fibers/epoll,nobody"}, "unknown server 'nobody'"},
    {{"run", "--servers", "fibers/epoll"}, "--servers"},
    {{"run", "--server", "mine"}, "--server 'mine'"},
    {{"run", "--target", "api=here"}, "--target 'api=here' is not host:port"},
    {{"run", "--target", "floor/epoll=host:1"}, "that name is taken"},
    {{"duel", "--target", "host:99999"}, "--target 'host:99999'"},
    {{"run", "--filter", "c9999"}, "--filter 'c9999'"},
    {{"run", "--filter", "["}, "--filter '['"},
    {{"run", "--resume", "nowhere"}, "nowhere"},
    {{"run", "--resume", "run", "--suite", "quick"}, "--resume DIR takes no other option"},
    {{"run", "--list", "--resume=run"}, "--resume DIR takes no other option"},
    {{"run", "--allow-debug", "--resume=run"}, "--resume DIR takes no other option"},
    {{"run", "--resume", ""}, "--resume '' is empty"},
    {{"run", "--output", ""}, "--output '' is empty"},
    {{"run", "--output="}, "--output"},
    {{"run", "--scenarios", ""}, "--scenarios '' is empty"},
    {{"run", "--servers", "", "--list"}, "--servers '' is empty"},
    {{"run", "--server", ""}, "--server '' is empty"},
    {{"run", "--target", ""}, "--target '' is empty"},
    {{"run", "--filter", ""}, "--filter '' is empty"},
    {{"run", "--suite", ""}, "--suite '' is empty"},
    {{"run", "--pin", ""}, "--pin '' is empty"},
    {{"run", "--pin", "0"}, "--pin '0'"},
    {{"run", "--pin", "0,99999"}, "--pin '0,99999'"},
    {{"run", "--pin", "0,0"}, "--pin '0,0'"},
    {{"duel", "--pin", "0,0"}, "--pin '0,0'"},
    {{"selftest", "--pin", "0,0"}, "--pin '0,0'"},
    {{"duel", "floor/epoll"}, "two servers"},
    {{"duel", "floor/epoll", "nobody"}, "unknown server 'nobody'"},
    {{"duel", "--duration", "soon"}, "--duration 'soon'"},
    {{"duel", "--duration", ""}, "--duration '' is empty"},
    {{"duel", "--size", "3"}, "--size 3 is not 16 to 1048576"},
    {{"duel", "--connections", "0"}, "--connections 0 is not 1 to 100000"},
    {{"duel", "--depth", "1025"}, "--depth 1025 is not 1 to 1024"},
    {{"duel", "--rate", "fast"}, "--rate 'fast' is not 1 to 10000000 messages per second"},
    {{"duel", "--replay", "nowhere"}, "nowhere"},
    {{"duel", "--replay", ""}, "--replay '' is empty"},
    {{"duel", "--record", ""}, "--record '' is empty"},
    {{"duel", "--record", "nowhere/x"}, "--record 'nowhere/x': there is no folder"},
    {{"duel", "--record", "err"}, "--record 'err' exists"},
    {{"duel", "--replay", "f", "--speed", "0"}, "--speed 0 is not 1 to 1000"},
    {{"duel", "--speed", "4"}, "--speed is for --replay"},
    {{"duel", "--replay", "f", "floor/epoll", "fibers/epoll"}, "--replay starts no servers"},
    {{"duel", "--replay=f", "--record=g"}, "--replay FILE takes no other option"},
    {{"doctor", "now"}, "unexpected argument 'now'"},
    {{"man", "now"}, "unexpected argument 'now'"},
    {{"completion"}, "wants bash or zsh"},
    {{"completion", "fish"}, "wants bash or zsh"},
    {{"doctor", "--pin", "0"}, "--pin '0'"},
    {{"load"}, "HOST:PORT"},
    {{"load", "127.0.0.1"}, "HOST:PORT"},
    {{"load", "127.0.0.1:99999"}, "port '99999'"},
    {{"load", "127.0.0.1", "x"}, "port 'x'"},
    {{"load", "127.0.0.1:1", "--size", "big"}, "--size"},
    {{"load", "127.0.0.1:1", "--connections", "0"}, "--connections 0 is not 1 to 100000"},
    {{"load", "127.0.0.1:1", "--size", "15"}, "--size 15 is not 16 to 1048576"},
    {{"load", "127.0.0.1:1", "--size", "-3"}, "--size -3 is not 16 to 1048576"},
    {{"load", "127.0.0.1:1", "--depth", "5000"}, "--depth 5000 is not 1 to 1024"},
    {{"load", "unix:"}, "unix:PATH: '' is no path of a socket"},
    {{"load", "127.0.0.1:1", "--load", "c64"}, "scenario 'c64' is not c<connections>"},
    {{"load", "127.0.0.1:1", "--load", "c4/64/r50%"}, "needs two servers"},
    {{"load", "127.0.0.1:1", "--load", "c4/64", "--size", "65"}, "--size 65 contradicts --load"},
    {{"load", "127.0.0.1:1", "--load", "c4/64/r2k", "--rate", "3k"}, "--rate 3k contradicts"},
    {{"load", "127.0.0.1:1", "--threads", "0"}, "--threads 0 is not 1 to 1024"},
    {{"load", "127.0.0.1:1", "--threads", "65"}, "--threads 65: each needs a connection"},
    {{"load", "127.0.0.1:1", "--rate", "fast"}, "--rate 'fast' is not 1 to 10000000"},
    {{"load", "127.0.0.1:1", "--rate", "2k", "--churn"}, "it goes with no rate"},
    {{"load", "127.0.0.1:1", "--load", "c1/4K/stream", "--rate", "2k"}, "it goes with no rate"},
    {{"load", "127.0.0.1:1", "--expect", "p99"}, "--expect 'p99' is not a limit such as"},
    {{"load", "127.0.0.1:1", "--find-rate", "rate>1"}, "wants an upper limit of a time"},
    {{"load", "127.0.0.1:1", "--find-rate", "p99<2"}, "--find-rate 'p99<2' is not a limit"},
    {{"load", "127.0.0.1:1", "--find-rate", "p99<2ms", "--rate", "2k"}, "with no rate and no"},
    {{"load", "127.0.0.1:1", "--find-rate", "p99<2ms", "--expect", "max<1s"}, "only the rate"},
    {{"load", "127.0.0.1:1", "--find-rate", "p99<2ms", "--duration", "50ms"}, "of 1s at least"},
    {{"load", "127.0.0.1:1", "--json", "nowhere/x"}, "there is no folder"},
    {{"load", "127.0.0.1:1", "--json", "/dev/null"}, "is no file"},
    {{"report"}, "one run"},
    {{"selftest", "beauty"}, "'beauty' is no proof"},
    {{"report", "nowhere"}, "nowhere"},
    {{"compare", "one"}, "two or more runs, the new one last"},
    {{"compare", "nowhere", "nothing"}, "nowhere"},
    {{"compare", "a", "b", "--json", "--markdown"}, "not both"},
    {{"compare", "a", "b", "--gate", "x"}, "x"},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(echobench, bad_usage_is_one_line_that_names_it_and_exit_2,
                       data::make(refusals), refused) {
  const auto ended = run(refused.arguments);
  BOOST_TEST(ended.exit_code == 2);
  BOOST_TEST(lines_in(ended.err) == 1);
  BOOST_TEST(holds(ended.err, refused.says), ended.err);
  BOOST_TEST(ended.out.empty());
}

BOOST_DATA_TEST_CASE_F(echobench, help_is_printed_and_is_no_error,
                       data::make({"", "run", "compare", "duel", "report", "load", "selftest",
                                   "doctor", "completion", "man"}),
                       command) {
  const auto ended = run(*command != '\0' ? words{command, "--help"} : words{"--help"});
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(holds(ended.out, "usage: echobench"));
  BOOST_TEST(ended.err.empty());
}

// A folder with synthetic runs and unreadable files, as arguments for echobench compare.
struct comparing : echobench {
  comparing() {
    const auto add = [&](const std::string& name, const bench::run_record& record) {
      fs::create_directory(folder / name);
      folder.write(name + "/run.ndjson", ndjson_of(record));
    };
    synthetic_truth truth{.noise = 0.003, .kernel_drift = 0.01};
    add("one", synthetic_run(truth));
    truth.seed = 8;
    add("same", synthetic_run(truth));
    truth.library_ns["fibers/epoll"] += 1800;
    add("slower", synthetic_run(truth));
    truth.noise = 0.2;
    add("noisy", synthetic_run(truth));
    add("nothing", synthetic_run({.rounds = 0}));
    auto wrong = synthetic_run();
    wrong.caveats_found.push_back(bench::caveats::run_void{"mine: wrong reply"});
    add("void", wrong);
    folder.write("empty.json", "");
    folder.write("foreign.json", "{\"benchmarks\": []}");
    folder.write("half.json", "{\"report\":\"echobench\",\"version\":1,\"header\":{");
    folder.write("run.ndjson", "");
  }
};

BOOST_FIXTURE_TEST_CASE(what_compare_found_is_its_exit_code, comparing, *each_command) {
  const auto code = [this](const words& runs) {
    words arguments{"compare"};
    arguments.insert(arguments.end(), runs.begin(), runs.end());
    const auto ended = run(arguments);
    BOOST_TEST(ended.err.empty(), ended.err);
    BOOST_TEST(holds(ended.out, "fibers/epoll"));
    return ended.exit_code;
  };
  BOOST_TEST(code({"one", "slower"}) == 0);
  BOOST_TEST(code({"one", "same", "--gate", "3%"}) == 0);
  BOOST_TEST(code({"one", "slower", "--gate", "3%"}) == 1);
  BOOST_TEST(code({"one", "noisy", "--gate", "3%"}) == 4);
  BOOST_TEST(code({"one", "same", "--gate", "1%"}) == 4);
  BOOST_TEST(code({"one", "same", "slower", "--gate", "3%"}) == 1);
  BOOST_TEST(code({"one", "same", "slower", "--gate", "3%", "--markdown"}) == 1);
  BOOST_TEST(code({"one", "same", "slower", "--gate", "3%", "--json"}) == 1);
}

BOOST_FIXTURE_TEST_CASE(what_compare_cannot_read_or_compare_is_one_line_that_names_it, comparing) {
  const auto refused = [this](const std::string& file, int exit_code) {
    const auto ended = run({"compare", "one", file, "--gate", "3%"});
    BOOST_TEST_CONTEXT(file) {
      BOOST_TEST(ended.exit_code == exit_code);
      BOOST_TEST(lines_in(ended.err) == 1);
      BOOST_TEST(holds(ended.err, file), ended.err);
      BOOST_TEST(ended.out.empty());
    }
  };
  for (const auto* unreadable : {"empty.json", "foreign.json", "half.json", "run.ndjson", "none"})
    refused(unreadable, 2);
  for (const auto* incomparable : {"nothing", "void"}) refused(incomparable, 3);
}

BOOST_FIXTURE_TEST_CASE(list_prints_the_plan_and_starts_nothing, echobench, *each_command) {
  const auto ended = run({"run", "--suite", "quick", "--list"});
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(holds(ended.out, "fibers/select against asio-callback/select"));
  BOOST_TEST(holds(ended.out, "(control)"));
  BOOST_TEST(!fs::exists(folder / "runs"));
}

BOOST_FIXTURE_TEST_CASE(another_build_joins_the_run_and_a_gate_is_the_exit_code, echobench) {
  const auto build = fs::path{path_of("fibers_echo")}.parent_path().string();
  const words against{"run",          "--against",   build,     "--servers",
                      "fibers/epoll", "--scenarios", "c1/64",   "--gate",
                      "3%",           "--rounds",    "1",       "--allow-debug",
                      "--output",     "run",         "--label", "mine"};
  const auto ended = run(against);
  BOOST_TEST(holds(ended.err, "note: --against " + build + " is this build"), ended.err);
  BOOST_TEST(ended.exit_code == 4, ended.err);
  BOOST_TEST(holds(ended.out, "\nGate 3.0 %: inconclusive"), ended.out);
  const bool is_quiet = !holds(ended.out, "No verdict: ");  // nobody else had the processor
  BOOST_TEST(holds(ended.out, is_quiet ? "fibers/epoll against old/fibers/epoll: too few rounds"
                                       : "fibers/epoll against old/fibers/epoll on c1/64: n/a: "),
             ended.out);
  BOOST_TEST(holds(folder.read("run/report.md"), "fibers/epoll / old/fibers/epoll"));
  BOOST_TEST(bench::read_run(folder / "run/run.ndjson").header.label.value() == "mine");
  const auto nowhere = run({"run", "--against", "nowhere", "--gate", "3%"});
  BOOST_TEST(nowhere.exit_code == 2);
  BOOST_TEST(lines_in(nowhere.err) == 1, nowhere.err);
  BOOST_TEST(holds(nowhere.err, "--against 'nowhere' has no fibers_echo"), nowhere.err);
  const auto no_gate = run({"run", "--gate", "much"});
  BOOST_TEST(no_gate.exit_code == 2);
  BOOST_TEST(holds(no_gate.err, "--gate 'much' is not a percentage"), no_gate.err);
}

BOOST_FIXTURE_TEST_CASE(a_run_writes_its_files_and_its_summary, echobench, *each_command) {
  const auto ended = run(shortest);
  BOOST_TEST_MESSAGE(ended.err);
  BOOST_TEST(ended.exit_code == 0);
  for (const auto* name :
       {"run.ndjson", "report.json", "report.csv", "report.md", "report.html",
        "report.github-action-benchmark.json", "latency.hlog", "latency/c16-64_floor-epoll.hgrm"}) {
    BOOST_TEST(fs::exists(folder / "run" / name), name);
  }
  const auto record = bench::read_run(folder / "run" / "run.ndjson");
  BOOST_CHECK(record.end == bench::run_end::complete);
  BOOST_TEST(record.blocks.size() == 3U);  // duet, exclusive and control
  BOOST_TEST(record.memory.size() == 3U);
  BOOST_TEST(record.kernel.size() == 1U);
  BOOST_TEST(record.kernel.front().messages > 0);
  BOOST_TEST(holds(ended.out, "floor/epoll"));
  BOOST_TEST(!holds(ended.out + ended.err, "\033"));
  BOOST_TEST(holds(ended.err, "round  1/1"));
}

BOOST_FIXTURE_TEST_CASE(a_run_without_standard_descriptors_can_be_read, echobench) {
  for (const std::vector<int>& closed : {std::vector{2}, std::vector{0, 1, 2}}) {
    fs::remove_all(folder / "run");
    start(shortest, "out", closed);
    const auto ended = wait();
    BOOST_TEST(ended.exit_code == 0);
    BOOST_TEST(ended.err.empty());
    const auto record = bench::read_run(folder / "run" / "run.ndjson");
    BOOST_CHECK(record.end == bench::run_end::complete);
    BOOST_TEST(record.blocks.size() == 3U);
  }
}

BOOST_FIXTURE_TEST_CASE(a_run_does_not_write_over_another, echobench) {
  fs::create_directory(folder / "run");
  folder.write("run/run.ndjson", "mine\n");
  const auto ended = run(shortest);
  BOOST_TEST(ended.exit_code == 2);
  BOOST_TEST(lines_in(ended.err) == 1);
  BOOST_TEST(holds(ended.err, "--output run: there is a run already"), ended.err);
  BOOST_TEST(holds(ended.err, "--resume run"), ended.err);
  BOOST_TEST(folder.read("run/run.ndjson") == "mine\n");
}

BOOST_FIXTURE_TEST_CASE(ctrl_c_keeps_what_is_done, echobench, *each_command) {
  auto long_run = shortest;
  long_run[4] = "500";
  start(long_run);
  wait_for_a_block();
  kill(pid, SIGINT);
  const auto ended = wait();
  BOOST_TEST(ended.exit_code == 130);
  const auto record = bench::read_run(folder / "run" / "run.ndjson");
  BOOST_CHECK(record.end == bench::run_end::interrupted);
  BOOST_TEST(!record.blocks.empty());
  BOOST_TEST(fs::exists(folder / "run" / "report.html"));
}

BOOST_FIXTURE_TEST_CASE(a_killed_run_is_resumed_and_has_what_an_uninterrupted_one_has, echobench,
                        *boost::unit_test::label("long")) {
  auto longer = shortest;
  longer[4] = "3";
  start(longer);
  wait_for_a_block();
  kill(pid, SIGKILL);
  wait();
  const auto cut_off = bench::read_run(folder / "run" / "run.ndjson");
  BOOST_TEST(!cut_off.end.has_value());
  folder.write("run/run.ndjson", folder.read("run/run.ndjson") + "{\"record\":\"blo");
  const auto ended = run({"run", "--resume", "run"});
  BOOST_TEST(ended.exit_code == 0, ended.err);
  const auto record = bench::read_run(folder / "run" / "run.ndjson");
  BOOST_CHECK(record.end == bench::run_end::complete);
  BOOST_TEST(record.blocks.size() == 9U);
  BOOST_TEST(record.memory.size() == 3U);
  BOOST_TEST(record.header.seed == cut_off.header.seed);
  BOOST_TEST(holds(ended.out, "the run was interrupted and went on at"), ended.out);
  BOOST_TEST(!holds(ended.out, "ended early"), ended.out);
  BOOST_TEST(fs::exists(folder / "run" / "report.html"));

  const auto again = run({"run", "--resume", "run"});  // nothing is left to do
  BOOST_TEST(again.exit_code == 0);
  BOOST_TEST(bench::read_run(folder / "run" / "run.ndjson").blocks.size() == 9U);
}

BOOST_FIXTURE_TEST_CASE(a_wrong_reply_voids_a_run_for_good, echobench) {
  const auto server = "odd=" + path_of("odd_server") + " wrong {port}";
  const auto ended = run({"run", "--suite", "quick", "--server", server, "--servers",
                          "floor/epoll,odd", "--output", "run", "--allow-debug"});
  BOOST_TEST(ended.exit_code == 3);
  const auto again = run({"run", "--resume", "run"});
  BOOST_TEST(again.exit_code == 3);
  BOOST_TEST(lines_in(again.err) == 1);
  BOOST_TEST(holds(again.err, "voids the run: odd: wrong reply"), again.err);
}

BOOST_DATA_TEST_CASE_F(echobench,
                       a_folder_that_cannot_be_written_is_said_before_anything_is_started,
                       data::make({"file", "file/below", "/proc/new"}), output) {
  folder.write("file", "");
  auto asking = shortest;
  asking[10] = output;
  const auto ended = run(asking);
  BOOST_TEST(ended.exit_code == 2);
  BOOST_TEST(lines_in(ended.err) == 1);
  BOOST_TEST(holds(ended.err, "--output " + std::string{output} + ": cannot write there: "),
             ended.err);
}

BOOST_FIXTURE_TEST_CASE(a_run_that_is_refused_leaves_no_folder, echobench) {
  const auto ended = run({"run", "--servers", "floor/epoll,mine", "--server", "mine=./none {port}",
                          "--output", "new/run", "--allow-debug"});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(!fs::exists(folder / "new"));
}

BOOST_DATA_TEST_CASE_F(echobench, a_run_whose_summary_nobody_takes_has_its_reports,
                       data::make({"/dev/full", "a pipe that nobody reads"}), output) {
  start(shortest, output);
  const auto ended = wait();
  BOOST_TEST(ended.exit_code == 3);
  const auto line = ended.err.find("echobench: ");
  BOOST_REQUIRE(line != std::string::npos);
  BOOST_TEST(holds(ended.err.substr(line), "cannot write to standard output"), ended.err);
  BOOST_TEST(lines_in(ended.err.substr(line)) == 1);
  for (const auto* name : {"report.json", "report.csv", "report.md", "report.html",
                           "report.github-action-benchmark.json", "latency.hlog"})
    BOOST_TEST(fs::exists(folder / "run" / name), name);
}

BOOST_FIXTURE_TEST_CASE(help_that_cannot_be_printed_is_said, echobench) {
  start({"run", "--help"}, "/dev/full");
  const auto ended = wait();
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(holds(ended.err, "cannot write to standard output"), ended.err);
}

BOOST_FIXTURE_TEST_CASE(kill_9_leaves_no_server_and_no_child_of_a_server, echobench) {
  const auto file = folder / "pids";
  const auto server = "sub=sh -c '\"$0\" honest {port} & echo $! $$ > \"$1\"; wait' " +
                      path_of("odd_server") + " " + file.string();
  start({"duel", "floor/epoll", "sub", "--server", server, "--allow-debug"});
  const auto read_pids = [&] {
    pid_t child = 0, shell = 0;
    std::ifstream{file} >> child >> shell;
    return std::pair{child, shell};
  };
  for (int i = 0; i < 1000 && read_pids().second == 0; ++i) std::this_thread::sleep_for(10ms);
  BOOST_TEST(read_pids().second != 0);
  kill(pid, SIGKILL);
  BOOST_TEST(wait().exit_code == -1);
  const auto gone = [](pid_t each) { return kill(each, 0) != 0 || state_of(each) == "Z"; };
  const auto all_gone = [&] { return gone(read_pids().first) && gone(read_pids().second); };
  for (int i = 0; i < 500 && !all_gone(); ++i) std::this_thread::sleep_for(10ms);
  BOOST_TEST(all_gone());
}

BOOST_DATA_TEST_CASE_F(echobench, a_server_that_does_not_echo_is_refused,
                       data::make({"wrong", "fixed", "short"}), mode) {
  const auto server = "odd=" + path_of("odd_server") + " " + mode + " {port}";
  const auto ended = run({"run", "--suite", "quick", "--server", server, "--servers",
                          "floor/epoll,odd", "--output", "run", "--allow-debug"});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(lines_in(ended.err.substr(ended.err.find("echobench:"))) == 1);
  BOOST_TEST(holds(ended.err, "echobench: odd"), ended.err);
}

// Runs only proofs that hold on a busy machine, too. selftest_test.cpp tests the others' judgement.
// CTest runs it when nothing else runs.
BOOST_FIXTURE_TEST_CASE(the_selftest_holds_and_fails_when_what_it_rests_on_is_broken, echobench,
                        *boost::unit_test::label("alone")) {
  const auto held = run({"selftest", "omission", "refusal", "--allow-debug"});
  BOOST_TEST(held.exit_code == 0, held.out + held.err);
  BOOST_TEST(holds(held.out, "2 of 2 proofs hold"), held.out);
  words broken_ones{"selftest", "injected", "omission", "refusal", "client"};
#ifdef NDEBUG  // a debug build is so slow that one microsecond more may pass as the same
  broken_ones.push_back("same");
#endif
  broken_ones.insert(broken_ones.end(), {"--allow-debug", "--broken"});
  const auto broken = run(broken_ones);
  BOOST_TEST(broken.exit_code == 3);
  BOOST_TEST(holds(broken.out, "\n0 of "), broken.out);
}

// The copy of echobench finds a fibers_echo in its folder that answers wrong.
BOOST_FIXTURE_TEST_CASE(who_answers_wrong_is_not_left_out_like_who_is_missing, echobench) {
  fs::copy_file(path_of("echobench"), folder / "echobench");
  fs::create_symlink(path_of("floor_echo"), folder / "floor_echo");
  const auto fake =
      folder.write("fibers_echo", "#!/bin/sh\nexec " + path_of("odd_server") + " fixed\n");
  fs::permissions(fake, fs::perms::owner_all);
  program = folder / "echobench";
  const auto ended = run({"run", "--servers", "floor/epoll,floor/select,fibers/io_uring",
                          "--scenarios", "c1/64", "--allow-debug"});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(holds(ended.err, "fibers/io_uring does not echo"), ended.err);
  BOOST_TEST(!holds(ended.err, "left out"), ended.err);
}

BOOST_FIXTURE_TEST_CASE(replies_in_pieces_are_told_from_slow_ones, echobench) {
  const auto ended = run({"run", "--server", "slow=" + path_of("odd_server") + " delays {port}",
                          "--servers", "floor/epoll,slow", "--scenarios", "c1/64", "--rounds", "1",
                          "--output", "run", "--allow-debug"});
  BOOST_TEST(ended.exit_code == 0);
  const auto report = folder.read("run/report.md");
  BOOST_TEST(holds(report, "slow on c1/64: half of the replies took 4"), report);
  BOOST_TEST(!holds(report, "floor/epoll on c1/64: half of the replies"), report);
}

// A sanitizer build is a debug build, too. There echobench refuses the bare loop first.
BOOST_FIXTURE_TEST_CASE(a_debug_build_is_refused, echobench) {
  const auto server = folder.write(
      "server", "#!/bin/sh\n" + path_of("odd_server") + " honest $1 | sed -u 's/$/ debug=1/'\n");
  fs::permissions(server, fs::perms::owner_all);
  const auto ended = run({"run", "--server", "mine=" + server.string() + " {port}", "--servers",
                          "floor/epoll,mine", "--scenarios", "c1/64", "--output", "run"});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(holds(ended.err, " is a debug build, whose times mean nothing"), ended.err);
  BOOST_TEST(holds(ended.err, "--allow-debug"), ended.err);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_dies_in_the_midst_is_quoted, echobench) {
  const auto server = "odd=" + path_of("odd_server") + " dies";
  const auto ended = run({"run", "--suite", "quick", "--server", server, "--servers",
                          "floor/epoll,odd", "--output", "run", "--allow-debug"});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(holds(ended.err, "odd exited with status 7: out of patience"), ended.err);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_is_no_program_is_named, echobench) {
  const auto ended = run({"run", "--server", "mine=./no_such_thing --port {port}", "--servers",
                          "floor/epoll,mine", "--allow-debug"});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(holds(ended.err, "cannot start mine: ./no_such_thing: No such file"), ended.err);
}

BOOST_FIXTURE_TEST_CASE(load_says_what_it_saw, echobench, *each_command) {
  odd_behaviour behaviour;
  behaviour.reply = [](std::string_view got) { return std::string{"GOT:"}.append(got); };
  const odd_server server{behaviour};
  const auto ended = run({"load", "127.0.0.1", std::to_string(server.port()), "--duration", "200ms",
                          "--connections", "4", "--size", "100"});
  BOOST_TEST(ended.exit_code == 0);
  for (const auto* part : {"c4/100", "messages/s", "p99", "payload      ok", "prefix \"GOT:\""}) {
    BOOST_TEST(holds(ended.out, part), part);
  }
}

BOOST_FIXTURE_TEST_CASE(load_refuses_wrong_bytes, echobench) {
  odd_behaviour behaviour;
  behaviour.reply = [n = 0](std::string_view got) mutable {
    std::string reply{got};
    if (++n == 200) reply.back() ^= 1;
    return reply;
  };
  const odd_server server{behaviour};
  const auto ended = run({"load", "127.0.0.1:" + std::to_string(server.port())});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(holds(ended.err, "wrong reply"), ended.err);
}

BOOST_FIXTURE_TEST_CASE(the_doctor_ends_with_3_exactly_where_it_names_a_problem, echobench,
                        *each_command) {
  const auto ended = run({"doctor"});
  const bool problem = ended.out.starts_with("problem ") || holds(ended.out, "\nproblem ");
  BOOST_TEST(ended.exit_code == (problem ? 3 : 0), ended.out);
  BOOST_TEST(lines_in(ended.out) > 20);
  BOOST_TEST(ended.err.empty());
}

BOOST_FIXTURE_TEST_CASE(a_duel_in_a_pipe_is_lines_and_a_verdict, echobench) {
  const auto ended =
      run({"duel", "floor/epoll", "floor/epoll", "--duration", "1s", "--allow-debug"});
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(lines_in(ended.out) >= 2);
  BOOST_TEST(!holds(ended.out, "\033"));
  BOOST_TEST(holds(ended.out, "floor/epoll against floor/epoll: "), ended.out);
}

BOOST_FIXTURE_TEST_CASE(a_recorded_duel_is_replayed_line_by_line, echobench, *each_command) {
  const auto file = (folder / "duel.ndjson").string();
  const auto live = run({"duel", "floor/epoll", "floor/epoll", "--duration", "2s", "--allow-debug",
                         "--record", file});
  BOOST_TEST(live.exit_code == 0, live.err);
  const auto again = run({"duel", "--replay", file, "--speed", "1000"});
  BOOST_TEST(again.exit_code == 0, again.err);
  BOOST_TEST(again.out == live.out);
  const auto twice = run({"duel", "floor/epoll", "floor/epoll", "--duration", "2s", "--allow-debug",
                          "--record", file});
  BOOST_TEST(twice.exit_code == 2);
  BOOST_TEST(holds(twice.err, "duel.ndjson' exists"), twice.err);
}

BOOST_FIXTURE_TEST_CASE(in_a_duel_at_a_rate_so_many_messages_are_due_to_each, echobench) {
  const auto file = folder / "duel.ndjson";
  const auto ended = run({"duel", "floor/epoll", "floor/epoll", "--rate", "5k", "--duration", "2s",
                          "--allow-debug", "--record", file.string()});
  BOOST_TEST(ended.exit_code == 0, ended.err);
  double due = 0, seconds = 0;
  for (const auto& event : bench::read_recording(file).events)
    for (const auto& each : event.slices.value_or(std::vector<bench::shown_slice>{})) {
      due += static_cast<double>(each.timed.open_loop.value().due);
      seconds += each.timed.seconds;
    }
  BOOST_TEST(due / seconds == 5000, boost::test_tools::tolerance(0.05));
}

BOOST_FIXTURE_TEST_CASE(a_duel_at_a_rate_out_of_reach_ends_in_its_time, echobench) {
  const auto ended = run({"duel", "floor/epoll", "floor/select", "--rate", "900k", "--duration",
                          "1s", "--allow-debug"});
  BOOST_TEST(ended.exit_code == 0, ended.err);
  BOOST_TEST(std::stoi(ended.out) < 8, ended.out);  // a whole round takes ten seconds
}

namespace {

struct greeting {
  std::string prefix;
  std::string said;
  friend std::ostream& operator<<(std::ostream& out, const greeting& each) {
    return out << each.said;
  }
};

const std::vector<greeting> greetings{
    {"GOT:", "prefix: \"GOT:\""}, {"you said ", "prefix: \"you said \""}, {"", "prefix: none"}};

// An echo server in Python, which sends this prefix before each reply.
std::string python_server(const std::string& prefix) {
  return "python3 -c '"
         "import socketserver, sys\n"
         "class echo(socketserver.BaseRequestHandler):\n"
         "  def handle(self):\n"
         "    while data := self.request.recv(1000): self.request.sendall(b\"" +
         prefix +
         "\" + data)\n"
         "class server(socketserver.ThreadingTCPServer):\n"
         "  allow_reuse_address = daemon_threads = True\n"
         "  request_queue_size = 1000\n"
         "server((\"127.0.0.1\", int(sys.argv[1])), echo).serve_forever()\n"
         "' {port}";
}

const words short_comparison{
    "run",      "--suite", "quick",         "--rounds", "1", "--filter", "c16/64 (api|mine) ",
    "--output", "run",     "--allow-debug", "--servers"};

words run_of(const std::string& servers, const words& more) {
  auto all = short_comparison;
  all.push_back(servers);
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

boost::test_tools::assertion_result has_python(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result yes{std::system("python3 -c pass") == 0};
  yes.message() << "no python3";
  return yes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(in_another_language,
                      *boost::unit_test::precondition(has_python) * boost::unit_test::label("long"))

BOOST_DATA_TEST_CASE_F(echobench, any_prefix_is_found_and_said, data::make(greetings), expected) {
  const auto ended =
      run(run_of("floor/epoll,mine", {"--server", "mine=" + python_server(expected.prefix)}));
  BOOST_TEST(ended.exit_code == 0, ended.err);
  BOOST_TEST(holds(ended.err, "mine  every byte of a reply is right, " + expected.said), ended.err);
  const auto record = bench::read_run(folder / "run" / "run.ndjson");
  for (const auto& each : record.header.servers)
    if (each.name == "mine") BOOST_TEST(each.prefix.value() == expected.prefix);
  const auto report = folder.read("run/report.md");
  BOOST_TEST(holds(report, expected.prefix == "GOT:" ? " of all" : " of mine"), report);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_CASE(a_target_is_measured_and_left_running, echobench, *each_command) {
  const odd_server running;
  const auto ended = run(
      run_of("floor/epoll,api", {"--target", "api=127.0.0.1:" + std::to_string(running.port())}));
  BOOST_TEST(ended.exit_code == 0, ended.err);
  BOOST_TEST(holds(ended.err, "api  every byte of a reply is right, prefix: none"), ended.err);
  BOOST_TEST((holds(ended.out, "loaded alone, api answers ") || holds(ended.out, "No verdict: ")),
             ended.out);
  BOOST_TEST(holds(ended.out, "n/a: api was not started here"), ended.out);
  const auto record = bench::read_run(folder / "run" / "run.ndjson");
  int slices = 0;
  for (const auto& block : record.blocks)
    for (const auto& each : block.slices) {
      if (each.server != "api") continue;
      ++slices;
      BOOST_TEST(!each.cpu_ns.has_value());
      BOOST_TEST(each.messages > 0);
    }
  BOOST_TEST(slices == 2);
  const auto before = running.accepted();
  BOOST_TEST(before == 19);  // two for the introduction, one for the prefix, sixteen for the load
  const auto again =
      run({"load", "127.0.0.1:" + std::to_string(running.port()), "--duration", "50ms"});
  BOOST_TEST(again.exit_code == 0, again.err);
}

BOOST_FIXTURE_TEST_CASE(who_starts_a_process_for_each_connection_has_no_cpu_where_they_end,
                        echobench, *boost::unit_test::label("long")) {
  const auto server = "mine=" + path_of("odd_server") + " forks {port}";
  const auto ended =
      run({"run", "--server", server, "--servers", "floor/epoll,mine", "--scenarios",
           "c4/64,c4/64/churn", "--rounds", "1", "--output", "run", "--allow-debug"});
  BOOST_TEST(ended.exit_code == 0, ended.err);
  const auto record = bench::read_run(folder / "run" / "run.ndjson");
  for (const auto& block : record.blocks)
    for (const auto& each : block.slices) {
      // It ignores the end of its children, so another process that begins hides it as well.
      const bool may_be_known = each.server != "mine" || !block.scenario.churn;
      BOOST_TEST((may_be_known || !each.cpu_ns), each.server + block.scenario.text());
      BOOST_TEST((each.server == "mine" || each.cpu_ns));
      BOOST_TEST(each.cpu_ns.value_or(1) > 0);
    }
  const auto says_so = [](const bench::caveat& each) {
    return std::holds_alternative<bench::caveats::processes_changed>(each);
  };
  BOOST_TEST(std::count_if(record.caveats_found.begin(), record.caveats_found.end(), says_so) == 1);
  const auto report = folder.read("run/report.md");
  BOOST_TEST(holds(report, "n/a: processes of mine began or ended"), report);
}

BOOST_FIXTURE_TEST_CASE(a_target_that_is_not_there_is_named, echobench) {
  const auto port = [] { return odd_server{}.port(); }();
  const auto ended =
      run(run_of("floor/epoll,api", {"--target", "api=127.0.0.1:" + std::to_string(port)}));
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(holds(ended.err, "cannot connect to api at 127.0.0.1:"), ended.err);
}

BOOST_FIXTURE_TEST_CASE(a_duel_with_a_target_has_no_verdict, echobench) {
  const odd_server running;
  const auto ended = run({"duel", "floor/epoll", "api", "--duration", "1s", "--allow-debug",
                          "--target", "api=127.0.0.1:" + std::to_string(running.port())});
  BOOST_TEST(ended.exit_code == 0, ended.err);
  BOOST_TEST(holds(ended.out, "/s n/a"), ended.out);
  BOOST_TEST(holds(ended.out, "n/a: api was not started here"), ended.out);
}
