// echobench: lists its commands and calls one. Each command is in a file of its own.
#include <fmt/format.h>

#include <array>
#include <bench/command/commands.hpp>
#include <bench/contract/printable.hpp>
#include <bench/contract/standard_descriptors.hpp>
#include <bench/record/record.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/terminal.hpp>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <system_error>

namespace {

struct command {
  std::string_view name;
  std::string_view purpose;
  int (*run)(const bench::arguments&);
};

constexpr std::array commands{
    command{"run", "measure servers against each other and write a report", bench::run_command},
    command{"compare", "whose CPU per message changed from run to run", bench::compare_command},
    command{"duel", "two servers live in the terminal, side by side", bench::duel_command},
    command{"report", "the reports of a run, written anew", bench::report_command},
    command{"doctor", "what of this machine would spoil a run, and what changes it",
            bench::doctor_command},
    command{"load", "put any echo server under load and check its replies", bench::load_command},
    command{"selftest", "prove that the instrument can be believed here", bench::selftest_command},
};

void print_usage() {
  fmt::print("usage: echobench COMMAND [ARGUMENT...]\n\n");
  for (const auto& each : commands) fmt::print("  {:<8} {}\n", each.name, each.purpose);
  fmt::print("\nechobench COMMAND --help says more.\n");
}

int dispatch(const bench::arguments& given) {
  if (given.empty()) throw bench::usage_error("which command? echobench --help lists them");
  if (given[0] == "--help" || given[0] == "-h") {
    print_usage();
    return 0;
  }
  for (const auto& each : commands) {
    if (each.name == given[0]) return each.run({given.begin() + 1, given.end()});
  }
  throw bench::usage_error(
      fmt::format("unknown command '{}': echobench --help lists them", given[0]));
}

int complain(std::string_view reason, int exit_code) {
  std::fflush(stdout);
  bench::tell(stderr, "echobench: {}\n", bench::printable(reason));
  return exit_code;
}

int complain(const std::exception& error, int exit_code) {
  return complain(error.what(), exit_code);
}

// Returns 3 instead of 0; any other exit code stays.
int not_told(int error, int exit_code) {
  bench::tell(stderr,
              "echobench: cannot write to standard output, so what it says is incomplete: {}\n",
              std::strerror(error));
  return exit_code == 0 ? 3 : exit_code;
}

// Buffered output may fail only when it is written at the end, and a file on another machine only
// when it is closed.
int having_told(int exit_code) {
  return std::fclose(stdout) == 0 ? exit_code : not_told(errno, exit_code);
}

}  // namespace

int main(int argc, char** argv) {
  bench::open_missing_descriptors();
  std::setlocale(LC_CTYPE, "");
  std::signal(SIGPIPE, SIG_IGN);  // a reader that closes the pipe must not end a run
  std::signal(SIGXFSZ, SIG_IGN);  // at a file size limit write() fails with EFBIG instead
  try {
    return having_told(dispatch({argv + 1, argv + argc}));
  } catch (const bench::help_shown&) {
    return having_told(0);
  } catch (const bench::interrupted&) {
    return 130;
  } catch (const bench::usage_error& error) {
    return complain(error, 2);
  } catch (const std::invalid_argument& error) {
    return complain(error, 2);
  } catch (const bench::unreadable_run& error) {
    return complain(error, 2);
  } catch (const std::system_error& error) {
    return std::ferror(stdout) != 0 ? not_told(error.code().value(), 3) : complain(error, 3);
  } catch (const std::exception& error) {
    return complain(error, 3);
  }
}
