#include <fmt/chrono.h>

#include <bench/record/run_folder.hpp>

namespace bench {

std::filesystem::path run_folder(std::time_t started) {
  return std::filesystem::path{"runs"} / fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(started));
}

std::string utc_text(std::time_t when) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(when));
}

}  // namespace bench
