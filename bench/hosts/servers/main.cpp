// echobench_servers: starts the servers on another host. echobench starts this program there by
// --launcher, and gives it orders on standard input.
#include <fmt/format.h>
#include <unistd.h>

#include <bench/contract/standard_descriptors.hpp>
#include <bench/contract/version.hpp>
#include <bench/hosts/servers/service.hpp>
#include <bench/machine/machine.hpp>
#include <bench/text/options.hpp>
#include <csignal>
#include <exception>

int main(int argc, char** argv) try {
  bench::open_missing_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  bool version = false;
  bench::options wanted{bench::servers_program, "",
                        "Starts servers for echobench on another host, which starts this "
                        "program there; it ends with its standard input."};
  wanted.add("version", version, "print the version, how it was built, and stop");
  if (const auto rest = wanted.parse({argv + 1, argv + argc}); !rest.empty())
    throw std::invalid_argument{"unexpected argument '" + rest.front() + "'"};
  if (version) {
    fmt::print("{}\n", bench::version_line(bench::servers_program));
    return 0;
  }
  bench::raise_descriptor_limit();
  bench::take_orders(STDIN_FILENO, STDOUT_FILENO);
  return 0;
} catch (const bench::help_shown&) {
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}: {}\n", bench::servers_program, error.what());
  return 2;
}
