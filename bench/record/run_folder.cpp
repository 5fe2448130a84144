#include <bench/record/run_folder.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <bench/text/failure.hpp>
#include <cerrno>
#include <system_error>
#include <vector>

namespace bench {
namespace {

namespace fs = std::filesystem;

std::error_code try_to_write_into(const fs::path& folder) {
  std::vector<fs::path> made;
  std::error_code error, ignored;
  const auto is_there = [&](const fs::path& each) {
    return each.empty() || fs::exists(fs::symlink_status(each, ignored));
  };
  for (auto each = folder; !is_there(each); each = each.parent_path()) made.push_back(each);
  fs::create_directories(folder, error);
  if (!error && access(folder.c_str(), W_OK | X_OK) != 0)
    error = std::error_code{errno, std::generic_category()};
  for (const auto& each : made) fs::remove(each, ignored);
  return error;
}

}  // namespace

std::filesystem::path run_folder(std::time_t started) {
  return std::filesystem::path{"runs"} / fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(started));
}

std::string utc_text(std::time_t when) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(when));
}

std::filesystem::path run_file(const std::filesystem::path& folder) {
  std::error_code ignored;
  const auto plain = folder / "run.ndjson";
  const auto compressed = folder / "run.ndjson.gz";
  return !fs::exists(plain, ignored) && fs::exists(compressed, ignored) ? compressed : plain;
}

void expect_room_for_a_run(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / "run.ndjson", ignored)) {
    throw usage_error(fmt::format(
        "--output {0}: there is a run already, with which --resume {0} goes on", folder.string()));
  }
  if (fs::exists(run_file(folder), ignored)) {
    throw usage_error(
        fmt::format("--output {}: there is a compressed run already", folder.string()));
  }
  if (const auto error = try_to_write_into(folder)) {
    throw usage_error(
        fmt::format("--output {}: cannot write there: {}", folder.string(), error.message()));
  }
}

}  // namespace bench
