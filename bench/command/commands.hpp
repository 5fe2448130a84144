// commands: the commands of echobench. Each takes its arguments and returns the exit code.
#pragma once

#include <bench/text/options.hpp>

namespace bench {

int run_command(const arguments& given);
int compare_command(const arguments& given);
int duel_command(const arguments& given);
int report_command(const arguments& given);
int doctor_command(const arguments& given);
int load_command(const arguments& given);
int selftest_command(const arguments& given);

}  // namespace bench
