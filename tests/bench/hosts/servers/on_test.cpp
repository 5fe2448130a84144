// echobench run --on: the servers run on another host, the run says so, and what happens to that
// host ends the run with exit code 6.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bench/hosts/job.hpp>
#include <bench/record/record.hpp>
#include <bench/text/command_words.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <tests/bench/hosts/namespaces.hpp>
#include <tests/bench/hosts/servers/launchers.hpp>
#include <tests/child_process.hpp>
#include <tests/texts.hpp>

using namespace std::chrono_literals;

namespace {

using words = std::vector<std::string>;

words run_words(const launchers& in, const words& more) {
  words all{bench::find_program("echobench"),
            "run",
            "--suite",
            "quick",
            "--servers",
            "floor/epoll,floor/select",
            "--scenarios",
            "c4/64",
            "--allow-debug",  // under a sanitizer
            "--output",
            (in / "run").string()};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

words on_b(const launchers& in, const words& more) {
  auto all = run_words(in, {"--on", "b=127.0.0.1", "--launcher", in.here()});
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

bench::run_record record_of(const launchers& in) {
  return bench::read_run(in / "run/run.ndjson");
}

bool has_a_block(const launchers& in) {
  std::ifstream journal{in / "run/run.ndjson"};
  for (std::string line; std::getline(journal, line);)
    if (contains(line, "\"record\":\"block\"")) return true;
  return false;
}

// The program on host "b". Waits until it is there, and the run has measured a block.
pid_t program_that_has_measured(const launchers& in) {
  for (int i = 0; i < 3000 && !has_a_block(in); ++i) std::this_thread::sleep_for(10ms);
  for (const pid_t each : in.processes()) {
    std::string name;
    std::getline(std::ifstream{"/proc/" + std::to_string(each) + "/comm"}, name);
    if (name == "echobench_serve") return each;
  }
  return 0;
}

// The process of that name, or else 0, whose command line holds `word`.
pid_t process_of(const launchers& in, const std::string& program, const std::string& word) {
  for (const pid_t each : in.processes()) {
    std::string all;
    std::getline(std::ifstream{"/proc/" + std::to_string(each) + "/cmdline"}, all);
    const auto name = std::filesystem::path{all.substr(0, all.find('\0'))}.filename();
    if (name == program && contains(all, std::string{'\0'} + word + '\0')) return each;
  }
  return 0;
}

void wait_for_blocks(const launchers& in, std::size_t number) {
  for (int i = 0; i < 3000 && record_of(in).blocks.size() < number; ++i)
    std::this_thread::sleep_for(10ms);
  BOOST_TEST(record_of(in).blocks.size() >= number);
}

// Goes on with the run until it has measured another block.
void resume(const launchers& in, const words& more) {
  const auto kept = record_of(in).blocks.size();
  words all{bench::find_program("echobench"), "run", "--resume", (in / "run").string()};
  all.insert(all.end(), more.begin(), more.end());
  auto run = std::async(std::launch::async, [&] { return run_program(all); });
  wait_for_blocks(in, kept + 1);
  kill(process_of(in, "echobench", "--resume"), SIGINT);
  const auto ended = run.get();
  BOOST_TEST_MESSAGE(ended.errors);
  BOOST_TEST(ended.exit_code == 130);
  BOOST_TEST(in.left().empty());
}

struct ended_run {
  ended_process ended;
  std::chrono::steady_clock::duration after{};  // since the signal
};

ended_run run_that_gets(int signal, const launchers& in) {
  auto run = std::async(std::launch::async, [&] {
    return run_program(on_b(in, {"--rounds", "50"}));
  });
  const auto program = program_that_has_measured(in);
  BOOST_TEST(program > 0);
  if (program > 0) kill(program, signal);
  const auto since = std::chrono::steady_clock::now();
  auto ended = run.get();
  return {std::move(ended), std::chrono::steady_clock::now() - since};
}

void expect_host_failed(const ended_run& run, const launchers& in, const std::string& reason) {
  BOOST_TEST_MESSAGE(run.ended.errors);
  BOOST_TEST(run.ended.exit_code == 6);
  BOOST_TEST((run.after < 11s));
  BOOST_TEST(contains(run.ended.errors, "echobench: b: echobench_servers " + reason));
  BOOST_TEST(contains(run.ended.errors, "what was measured is kept; --resume "));
  BOOST_TEST(in.left().empty());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_run_measures_servers_on_another_host_and_its_record_names_it) {
  const launchers in;
  const auto ended = run_program(on_b(in, {"--rounds", "1"}));
  BOOST_TEST_MESSAGE(ended.errors);
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(contains(ended.errors, "servers on b at 127.0.0.1"));
  const auto record = record_of(in);
  BOOST_TEST(record.header.servers_on.value() == "b");
  const auto* elsewhere = bench::first_of<bench::caveats::servers_elsewhere>(record.caveats_found);
  BOOST_REQUIRE(elsewhere != nullptr);
  BOOST_TEST(elsewhere->host == "b");
  BOOST_TEST(record.header.servers.front().command.ends_with("--host ''"));
  BOOST_TEST(!record.header.machine.client_cpu.has_value());
  BOOST_TEST(!record.memory.empty());
  BOOST_TEST(!record.kernel.empty());
  BOOST_REQUIRE(!record.blocks.empty());
  for (const auto& each : record.blocks)
    for (const auto& slice : each.slices) BOOST_TEST(slice.cpu_ns.value_or(0) > 0);
  BOOST_TEST(in.left().empty());
}

BOOST_AUTO_TEST_CASE(a_killed_program_ends_the_run_by_6_and_the_run_can_go_on) {
  const launchers in;
  const auto run = run_that_gets(SIGKILL, in);
  expect_host_failed(run, in, "ended: ");
  BOOST_TEST(!record_of(in).blocks.empty());
  resume(in, {});
}

BOOST_AUTO_TEST_CASE(a_stopped_program_ends_the_run_by_6_within_ten_seconds) {
  const launchers in;
  const auto run = run_that_gets(SIGSTOP, in);
  expect_host_failed(run, in, "gives no sign of life for 5 s");
}

BOOST_AUTO_TEST_CASE(a_launcher_that_fails_ends_the_run_by_6_before_anything_is_written) {
  const launchers in;
  const auto ended = run_program(
      run_words(in, {"--on", "b=127.0.0.1", "--launcher", in.failing("no route", 255)}));
  BOOST_TEST(ended.exit_code == 6);
  BOOST_TEST(contains(ended.errors,
                      "echobench: b: echobench_servers did not start: no route (exit code 255)\n"));
  BOOST_TEST(!std::filesystem::exists(in / "run/run.ndjson"));
}

BOOST_AUTO_TEST_CASE(a_run_that_has_lost_a_host_of_the_load_can_go_on_without_it) {
  if (const auto why = bench::why_no_generators(); !why.empty()) {
    BOOST_TEST_MESSAGE("not tried: " + why);
    return;
  }
  const launchers in;
  auto run = std::async(std::launch::async, [&] {
    return run_program(
        run_words(in, {"--from", "localhost,b", "--on", "localhost=127.0.0.1", "--network", "lo",
                       "--launcher", in.here(), "--rounds", "50"}));
  });
  for (int i = 0; i < 3000 && !has_a_block(in); ++i) std::this_thread::sleep_for(10ms);
  // Rank 0 and the first generator are on localhost. Only this test has a host called b.
  pid_t generator = 0;
  const auto ours = in.processes();
  for (const pid_t each : bench::processes_with("OMPI_COMM_WORLD_RANK=2"))
    if (std::find(ours.begin(), ours.end(), each) != ours.end()) generator = each;
  BOOST_TEST(generator > 0);
  if (generator > 0) kill(generator, SIGKILL);
  const auto ended = run.get();
  BOOST_TEST_MESSAGE(ended.errors);
  BOOST_TEST(ended.exit_code == 6);
  BOOST_TEST(contains(ended.errors, "echobench: b: "));
  BOOST_TEST(in.left().empty());
  resume(in, {"--without", "b"});
  const auto record = record_of(in);
  const auto& hosts = record.blocks.back().slices.front().hosts.value();
  BOOST_TEST(hosts.size() == 1U);
  BOOST_TEST(hosts.front().host == "localhost");
  const auto* left_out = bench::first_of<bench::caveats::host_left_out>(record.caveats_found);
  BOOST_REQUIRE(left_out != nullptr);
  BOOST_TEST(left_out->host == "b");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused_in_one_line) {
  const launchers in;
  const auto refusal = [&](const words& more) {
    const auto ended = run_program(run_words(in, more));
    BOOST_TEST(ended.exit_code == 2);
    return ended.errors;
  };
  const auto on_a_path = run_program({bench::find_program("echobench"), "run", "--on",
                                      "b=127.0.0.1", "--servers", "floor/epoll,floor/epoll/unix"});
  BOOST_TEST(on_a_path.exit_code == 2);
  BOOST_TEST(contains(on_a_path.errors,
                      "floor/epoll/unix: another host cannot reach a server on a Unix socket\n"));
  BOOST_TEST(contains(refusal({"--on", "no-such-host.invalid"}),
                      "--on no-such-host.invalid: that name has no address here"));
  BOOST_TEST(contains(refusal({"--on", "b=127.0.0.1", "--launcher", in.here(), "--pin", "0,1"}),
                      "--pin 0,1: with --on it can only be none\n"));
  BOOST_TEST(contains(refusal({"--from", "no-such-host.invalid"}), "--on localhost=ADDRESS\n"));
}

BOOST_AUTO_TEST_CASE(servers_in_one_namespace_are_loaded_from_outside) {
  if (const auto& why = test_network::why_not(); !why.empty()) {
    BOOST_TEST_MESSAGE("not tried: " + why);
    return;
  }
  const launchers in;
  const test_network network{1};
  const auto ended = run_program(run_words(in, {"--on", network.name(0) + "=" + network.address(0),
                                                "--launcher", "ip netns exec", "--rounds", "1"}));
  BOOST_TEST_MESSAGE(ended.errors);
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(record_of(in).header.servers_on.value() == network.name(0));
  BOOST_TEST(network.processes_in(0).empty());
  BOOST_TEST(in.left().empty());
}

BOOST_AUTO_TEST_CASE(servers_in_one_namespace_are_loaded_from_two_others) {
  const auto& why = test_network::why_not();
  const auto why_no_load = bench::why_no_generators();
  if (!why.empty() || !why_no_load.empty()) {
    BOOST_TEST_MESSAGE("skipped: " + why + why_no_load);
    return;
  }
  const launchers in;
  const test_network network{3};
  const auto ended = run_program(run_words(in, {"--on", network.name(0) + "=" + network.address(0),
                                                "--from", network.name(1) + "," + network.name(2),
                                                "--launcher", "ip netns exec", "--rounds", "1"}));
  BOOST_TEST_MESSAGE(ended.errors);
  BOOST_TEST(ended.exit_code == 0);
  const auto record = record_of(in);
  BOOST_TEST(record.header.hosts.value().size() == 2U);
  BOOST_REQUIRE(!record.blocks.empty());
  for (const auto& each : record.blocks.front().slices.front().hosts.value())
    BOOST_TEST(each.messages > 0);
  for (std::size_t host = 0; host < 3; ++host) BOOST_TEST(network.processes_in(host).empty());
}
