// child_process: what must be seen from outside, because it dies or prints.
//
//     const auto demo = run_program({"./generator_demo"});
//     const auto fallen = run_role("overflow");          // this program again, as that
//     BOOST_TEST(fallen.signal == SIGSEGV);
//
// A test program with roles defines main() as `return run_tests_or_role({{"overflow", overflow}},
// argc, argv);`. A role is a fresh process: no test has run in it, and no framework watches it.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

struct ended_process {
  int exit_code = -1;  // unless a signal ended it
  int signal = 0;
  std::string output;
  std::string errors;
};

// Waits for its end.
ended_process run_program(const std::vector<std::string>& command);
ended_process run_role(std::string_view name);

struct role {
  std::string_view name;
  void (*play)();
};

int run_tests_or_role(std::initializer_list<role> roles, int argc, char** argv);
