#include <tests/child_process.hpp>
#include <tests/fibers/four_fibers.hpp>
#include <tests/scratch_folder.hpp>

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

// --- the process that gdb inspects -----------------------------------------------------------

// run_tests_or_role() has disabled core dumps.
void leave_a_core() {
  rlimit size{};
  ::getrlimit(RLIMIT_CORE, &size);
  size.rlim_cur = size.rlim_max;
  ::setrlimit(RLIMIT_CORE, &size);
}

void four_fibers_and_a_core() {
  leave_a_core();
  fibers::channel<int> items{1};
  four_fibers(items, [](auto&) { std::abort(); });
}

// --- gdb -------------------------------------------------------------------------------------

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
  return gdb({"set debuginfod enabled off", "run"},
             {"--args", subject(), "--role=four fibers and a core"});
}

bool cores_come_here() {
  std::string pattern;
  std::getline(std::ifstream{"/proc/sys/kernel/core_pattern"}, pattern);
  return pattern.starts_with("core");
}

std::string gdb_on_a_core(const scratch_folder& scratch) {
  run_program({"/bin/sh", "-c",
               "cd '" + scratch.path().string() + "'; exec '" + subject() +
                   "' '--role=four fibers and a core'"});
  std::string core;
  for (const auto& file : std::filesystem::directory_iterator{scratch.path()}) core = file.path();
  return gdb({"set debuginfod enabled off"}, {subject(), core});
}

void expect_all_told(const std::string& said) {
  const std::string list =
      "fiber 1, parked, \"consumer\"\n"
      "fiber 2, parked, \"sleeper\"\n"
      "fiber 3, running, \"last\"\n"
      "fiber 4, ready, \"fresh\"\n";
  const auto listed = said.find(list);
  BOOST_REQUIRE_MESSAGE(listed != said.npos, said);
  const auto rest = said.substr(listed + list.size());
  expect_two_backtraces(rest);
  BOOST_TEST(rest.find("corrupt") == rest.npos, said);
  BOOST_TEST(rest.find("there is no fiber 99") != rest.npos, said);
  BOOST_TEST(rest.find("fiber takes the number of a fiber, or all") != rest.npos, said);
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
  return run_tests_or_role({{"four fibers and a core", four_fibers_and_a_core}}, argc, argv);
}
