// echobench doctor: examines this machine and prints what it found.
#include <fmt/format.h>

#include <bench/command/commands.hpp>
#include <bench/doctor/doctor.hpp>
#include <bench/text/failure.hpp>

namespace bench {
namespace {

constexpr int exit_not_measurable = 3;

}  // namespace

int doctor_command(const arguments& given) {
  std::string pin;
  std::string output = "runs";
  options wanted{"echobench doctor", "",
                 "Looks at this machine, and says what would spoil a measurement and what changes "
                 "it, the worst first. Takes a second."};
  wanted.add("pin", pin, "SERVER_CPU,CLIENT_CPU", "or none, as for run");
  wanted.add("output", output, "DIR", "where a run would be written");
  wanted.explain("Exit code: 0 a run would be valid, 2 usage, 3 a problem would make it invalid.");
  wanted.example("doctor");
  wanted.example("doctor --pin none --output /tmp");
  const auto rest = wanted.parse(given);
  if (!rest.empty()) {
    throw usage_error(fmt::format("echobench doctor: unexpected argument '{}'", rest[0]));
  }
  const auto remarks = examine("/", ask_kernel(pin, output));
  fmt::print("{}", text_of(remarks));
  return measurable(remarks) ? 0 : exit_not_measurable;
}

}  // namespace bench
