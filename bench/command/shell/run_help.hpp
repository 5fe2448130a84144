// run_help: what echobench run --help prints below the options: suites, servers, loads, exit codes.
#pragma once

#include <string>

namespace bench {

// In the form of command_manual::explanation. Its tables come from the suites and the catalogue.
std::string run_help();

}  // namespace bench
