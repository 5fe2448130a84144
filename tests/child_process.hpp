// child_process: runs a program and returns how it ended and what it printed.
//
//     const auto demo = run_program({"./generator_demo"});
//     const auto fallen = run_role("overflow");          // this program, started again
//     BOOST_TEST(fallen.signal == SIGSEGV);
//
// A role is a function that runs in a process of its own, without tests and without Boost.Test. A
// test program with roles defines main() as `return run_tests_or_role({{"overflow", overflow}},
// argc, argv);`.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

struct ended_process {
  int exit_code = -1;  // -1: a signal ended the process
  int signal = 0;      // 0: the process exited
  std::string output;
  std::string errors;
};

// Both wait until the process ends.
ended_process run_program(const std::vector<std::string>& command);
ended_process run_role(std::string_view name);

struct role {
  std::string_view name;
  void (*play)();
};

int run_tests_or_role(std::initializer_list<role> roles, int argc, char** argv);
