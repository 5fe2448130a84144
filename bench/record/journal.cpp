#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <bench/record/journal.hpp>
#include <bench/text/failure.hpp>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace bench {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& reason) {
  throw run_invalid(fmt::format("cannot write {}: {}", path.string(), reason));
}

// Locks the file. The kernel releases the lock when this process ends, however it ends.
void lock(const std::filesystem::path& path, const descriptor& file) {
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) fail(path, "another echobench writes it");
}

// The bytes after the last newline.
std::string last_line(const std::filesystem::path& path, const descriptor& file) {
  std::string line;
  char last = 0;
  for (auto end = lseek(file.get(), 0, SEEK_END); end > 0; --end) {
    if (pread(file.get(), &last, 1, end - 1) != 1) fail(path, std::strerror(errno));
    if (last == '\n') break;
    line.insert(line.begin(), last);
  }
  return line;
}

}  // namespace

journal::journal(const std::filesystem::path& file) : path_{file} {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) fail(file.parent_path(), error.message());
  file_ = descriptor{open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644)};
  if (!file_) fail(path_, std::strerror(errno));
  lock(path_, file_);
}

journal::journal(const std::filesystem::path& file, descriptor opened)
    : path_{file}, file_{std::move(opened)} {}

journal journal::go_on(const std::filesystem::path& file) {
  descriptor opened{open(file.c_str(), O_RDWR | O_APPEND | O_CLOEXEC)};
  if (!opened) fail(file, std::strerror(errno));
  lock(file, opened);
  const auto rest = last_line(file, opened);
  journal going_on{file, std::move(opened)};
  if (!rest.empty()) going_on.complete_or_cut(rest);
  return going_on;
}

// A complete line that lacks only its newline gets it, as read_run() accepts it too. Part of a line
// is cut off.
void journal::complete_or_cut(const std::string& line) {
  std::error_code no_json;
  boost::json::parse(line, no_json);
  if (!no_json) return append("");
  const auto whole = lseek(file_.get(), 0, SEEK_END) - static_cast<off_t>(line.size());
  if (ftruncate(file_.get(), whole) != 0) fail(path_, std::strerror(errno));
}

void journal::append(std::string line) {
  line += '\n';
  for (std::string_view rest = line; !rest.empty();) {
    const auto written = write(file_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_, std::strerror(errno));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace bench
