// echobench: calls the command that the user names, and turns what it throws into an exit code.
#include <fmt/format.h>

#include <bench/command/commands.hpp>
#include <bench/contract/printable.hpp>
#include <bench/contract/standard_descriptors.hpp>
#include <bench/contract/version.hpp>
#include <bench/record/record.hpp>
#include <bench/text/command_words.hpp>
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

void print_usage() {
  fmt::print(
      "usage: echobench COMMAND [ARGUMENT...]\n       echobench --version\n\n"
      "Measures echo servers side by side.\n\n");
  for (const auto& each : bench::all_commands())
    fmt::print("  {:<11} {}\n", each.name, each.purpose);
  fmt::print("\nechobench COMMAND --help says more.\n\nExamples:\n");
  for (const auto* each : {"doctor", "run --suite quick", "report last --verbose"})
    fmt::print("  {} {}\n", bench::invoked_as(), each);
}

int dispatch(const bench::arguments& given) {
  if (given.empty()) throw bench::usage_error("which command? echobench --help lists them");
  if (given[0] == "--help" || given[0] == "-h") {
    print_usage();
    return 0;
  }
  if (given[0] == "--version") {
    fmt::print("{}\n", bench::version_line("echobench"));
    return 0;
  }
  for (const auto& each : bench::all_commands()) {
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
  } catch (const bench::host_failed& error) {
    return complain(error, bench::exit_host_failed);
  } catch (const bench::unreadable_run& error) {
    return complain(error, 2);
  } catch (const std::system_error& error) {
    return std::ferror(stdout) != 0 ? not_told(error.code().value(), 3) : complain(error, 3);
  } catch (const std::exception& error) {
    return complain(error, 3);
  }
}
