// echobench doctor: examines this machine and prints what it found.
#include <fmt/format.h>

#include <bench/command/commands.hpp>
#include <bench/command/interruption.hpp>
#include <bench/doctor/doctor.hpp>
#include <bench/hosts/fleet.hpp>
#include <bench/text/failure.hpp>

namespace bench {
namespace {

constexpr int exit_not_measurable = 3;

}  // namespace

int doctor_command(const arguments& given) {
  std::string pin;
  std::string output = "runs";
  host_options hosts;
  options wanted{"echobench doctor", "",
                 "Looks at this machine, and says what would spoil a measurement and what changes "
                 "it, the worst first. Takes a second."};
  wanted.add("pin", pin, "SERVER_CPU,CLIENT_CPU", "or none, as for run");
  wanted.add("output", output, "DIR", "where a run would be written");
  add_host_options(wanted, hosts);
  wanted.explain(
      "With --from it starts the generators of a load as run and load do, and says of each host "
      "whether it can be reached and is of the same build, what limits it, and how far apart the "
      "hosts begin.\n"
      "Exit code: 0 a run would be valid, 2 usage, 3 a problem would make it invalid, 6 a host "
      "cannot be reached.");
  wanted.example("doctor");
  wanted.example("doctor --from a:2,b");
  wanted.example("doctor --pin none --output /tmp");
  const auto rest = wanted.parse(given);
  if (!rest.empty()) {
    throw usage_error(fmt::format("echobench doctor: unexpected argument '{}'", rest[0]));
  }
  std::optional<hosts_request> from;
  if (!hosts.from.empty()) from = parse_hosts(hosts);
  auto remarks = examine("/", ask_kernel(pin, output));
  if (from) {
    const fleet generators{*from, catch_interruption()};
    for (auto& each : examine_hosts(generators.hosts(), generators.generators()))
      remarks.push_back(std::move(each));
  }
  fmt::print("{}", text_of(remarks));
  return measurable(remarks) ? 0 : exit_not_measurable;
}

}  // namespace bench
