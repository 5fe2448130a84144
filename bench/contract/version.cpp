#include <bench/contract/version.hpp>

#include <fmt/core.h>

#include <bench/contract/build_info.hpp>
#include <bench/contract/printable.hpp>
#include <boost/version.hpp>
#include <cstdlib>

namespace bench {

std::string version_line(std::string_view program) {
  const auto commit = built_commit();
  return fmt::format("{} {},{} {}, {}, Boost {}", program, build_info::version,
                     commit ? fmt::format(" commit {},", *commit) : "", build_info::type,
                     build_info::compiler, boost_version());
}

std::string boost_version() {
  return fmt::format("{}.{}.{}", BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1000,
                     BOOST_VERSION % 100);
}

std::optional<std::string> built_commit() {
  const auto* said = std::getenv("ECHOBENCH_COMMIT");
  if (said == nullptr || *said == '\0') return std::nullopt;
  return printable(said);
}

}  // namespace bench
