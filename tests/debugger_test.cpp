#define BOOST_TEST_MODULE debugger
#include <fibers/channel.hpp>
#include <fibers/scheduler.hpp>

#include "child_process.hpp"
#include "scratch_folder.hpp"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

// --- who is looked at ------------------------------------------------------------------------

[[gnu::noinline]] int waits_for_an_item(fibers::channel<int>& items) {
  return items.pop().value() + 1;
}

[[gnu::noinline]] bool sleeps_long() {
  fibers::this_fiber::sleep_for(1h);
  return true;
}

// A role leaves no core otherwise.
void leave_a_core() {
  rlimit size{};
  ::getrlimit(RLIMIT_CORE, &size);
  size.rlim_cur = size.rlim_max;
  ::setrlimit(RLIMIT_CORE, &size);
}

// Two fibers park, one is ready, and one ends the process.
void four_fibers() {
  leave_a_core();
  fibers::scheduler scheduler{fibers::io::epoll};
  fibers::channel<int> items{1};
  int sum = 0;
  scheduler.spawn("consumer", [&] { sum += waits_for_an_item(items); });
  scheduler.spawn("sleeper", [&] { sum += sleeps_long(); });
  scheduler.spawn("aborting", [&] {
    fibers::this_fiber::yield();
    scheduler.spawn("fresh", [&] { ++sum; });
    std::abort();
  });
  scheduler.run();
}

// --- who looks -------------------------------------------------------------------------------

std::string subject() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

std::string gdb(std::vector<std::string> before, const std::vector<std::string>& after) {
  std::vector<std::string> command{GDB, "-nx", "-q", "-batch"};
  before.push_back("source " FIBERS_GDB_SCRIPT);
  for (const auto* ask : {"info fibers", "fiber all", "fiber 2", "fiber 99", "fiber two"}) {
    before.push_back(ask);
  }
  for (const auto& each : before) command.insert(command.end(), {"-ex", each});
  command.insert(command.end(), after.begin(), after.end());
  const auto ended = run_program(command);
  return ended.output + ended.errors;
}

std::string gdb_on_a_living_process() {
  return gdb({"set debuginfod enabled off", "run"}, {"--args", subject(), "--role=four fibers"});
}

bool cores_come_here() {
  std::string pattern;
  std::getline(std::ifstream{"/proc/sys/kernel/core_pattern"}, pattern);
  return pattern.starts_with("core");
}

std::string gdb_on_a_core(const scratch_folder& scratch) {
  run_program(
      {"/bin/sh", "-c",
       "cd '" + scratch.path().string() + "'; exec '" + subject() + "' '--role=four fibers'"});
  std::string core;
  for (const auto& file : std::filesystem::directory_iterator{scratch.path()}) core = file.path();
  return gdb({"set debuginfod enabled off"}, {subject(), core});
}

void expect_all_told(const std::string& said) {
  const std::string list =
      "fiber 1, parked, \"consumer\"\n"
      "fiber 2, parked, \"sleeper\"\n"
      "fiber 3, running, \"aborting\"\n"
      "fiber 4, ready, \"fresh\"\n";
  BOOST_TEST(said.find(list) != said.npos, said);
  const auto traces = said.substr(std::min(said.find(list) + list.size(), said.size()));
  const auto second = traces.find("fiber 2, parked");
  const auto consumer = traces.find("waits_for_an_item");
  const auto sleeper = traces.find("sleeps_long");
  BOOST_TEST(consumer < second, said);
  BOOST_TEST((sleeper != traces.npos && sleeper > second), said);
  BOOST_TEST(traces.find("corrupt") == traces.npos, said);
  BOOST_TEST(traces.find("there is no fiber 99") != traces.npos, said);
  BOOST_TEST(traces.find("fiber takes the number of a fiber, or all") != traces.npos, said);
}

}  // namespace

BOOST_AUTO_TEST_CASE(gdb_lists_the_fibers_of_a_living_process_and_shows_where_each_waits) {
  expect_all_told(gdb_on_a_living_process());
}

boost::test_tools::assertion_result cores(boost::unit_test::test_unit_id) {
  return cores_come_here();
}

BOOST_AUTO_TEST_CASE(gdb_does_the_same_with_a_core, *boost::unit_test::precondition(cores)) {
  const scratch_folder scratch;
  expect_all_told(gdb_on_a_core(scratch));
}

int main(int argc, char** argv) {
  return run_tests_or_role({{"four fibers", four_fibers}}, argc, argv);
}
