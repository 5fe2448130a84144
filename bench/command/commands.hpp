// commands: the commands of echobench. Each takes its arguments and returns the exit code.
//
//     for (const auto& each : all_commands()) print(each.name, each.purpose);
#pragma once

#include <bench/text/options.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

struct command {
  std::string_view name;
  std::string_view purpose;
  int (*run)(const arguments& given);
};

// In the order in which --help lists them.
std::span<const command> all_commands();

int run_command(const arguments& given);
int compare_command(const arguments& given);
int duel_command(const arguments& given);
int report_command(const arguments& given);
int doctor_command(const arguments& given);
int load_command(const arguments& given);
int selftest_command(const arguments& given);
int completion_command(const arguments& given);
int man_command(const arguments& given);

// What selftest accepts.
std::vector<std::string_view> proof_names();

}  // namespace bench
