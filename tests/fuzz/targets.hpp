// targets: the readers that fuzz_test feeds, each by its own file.
//
//     FUZZ=scenario build/asan/bin/fuzz_test -max_total_time=60
//
// The environment variable chooses one, since libFuzzer takes the arguments for itself.
#pragma once

#include <string_view>

namespace fuzz {

void run_file(std::string_view input);
void report_file(std::string_view input);
void duel_recording(std::string_view input);
void histogram(std::string_view input);
void scenario(std::string_view input);
void listening_line(std::string_view input);
void server_names(std::string_view input);
void command_line(std::string_view input);
void server_options(std::string_view input);
void duration(std::string_view input);

struct target {
  std::string_view name;
  void (*read)(std::string_view input);
  bool lines_of_json = false;  // json_mutator.cpp changes its input
};

// The one that FUZZ names. Ends the program if it names none.
const target& chosen();

}  // namespace fuzz
