#include <bench/record/run_folder.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bench/record/record.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/options.hpp>
#include <cctype>
#include <cerrno>
#include <optional>
#include <system_error>
#include <tuple>
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

const fs::path home_of_runs = "runs";

struct run_here {
  fs::path folder;
  run_name name;
};

// Folders below runs/ that hold a run, the one that started last first.
std::vector<run_here> runs_here() {
  std::vector<run_here> found;
  std::error_code error;
  for (const auto& each : fs::directory_iterator{home_of_runs, error})
    if (const auto file = run_file(each.path()); fs::exists(file, error))
      found.push_back({each.path(), name_of(file)});
  const auto key = [](const run_here& each) {
    return std::tie(each.name.started_utc, each.folder);
  };
  std::sort(found.begin(), found.end(),
            [&](const auto& a, const auto& b) { return key(a) > key(b); });
  return found;
}

// 0 for "last", 1 for "last~1"; nullopt for any other name.
std::optional<std::size_t> runs_back(const std::string& name) {
  if (name == "last") return 0;
  if (!name.starts_with("last~")) return std::nullopt;
  const auto number = parse_number(std::string_view{name}.substr(5));
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::size_t>(*number);
}

}  // namespace

fs::path find_run(const std::string& name) {
  std::error_code ignored;
  if (name.empty() || fs::exists(name, ignored)) return name;
  const auto back = runs_back(name);
  if (!back && name.find('/') != std::string::npos) return name;
  const auto runs = runs_here();
  if (back && *back < runs.size()) return runs[*back].folder;
  if (back) {
    throw usage_error(fmt::format("{}: {}/ of the current folder holds {} run{}", name,
                                  home_of_runs.string(), runs.size(), runs.size() == 1 ? "" : "s"));
  }
  for (const auto& each : runs)
    if (each.name.label == name) return each.folder;
  return name;
}

void expect_label(const std::string& text) {
  constexpr std::size_t longest = 40;
  const bool good = std::all_of(text.begin(), text.end(), [](unsigned char each) {
    return each < 0x80 && (std::isalnum(each) != 0 || each == '-' || each == '_' || each == '.');
  });
  if (good && !text.empty() && text.size() <= longest && text[0] != '-' && text[0] != '.' &&
      !runs_back(text))
    return;
  throw usage_error(
      fmt::format("--label '{}' is not 1 to {} letters, digits, '-', '_' and '.', or begins with "
                  "'-' or '.', or is last",
                  text, longest));
}

std::filesystem::path run_folder(std::time_t started) {
  return home_of_runs / fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(started));
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
