#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
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
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return;
  fail(path, errno == EWOULDBLOCK ? "another echobench writes it" : std::strerror(errno));
}

std::string bytes_of(const std::filesystem::path& path, const descriptor& file, off_t begin,
                     off_t end) {
  std::string bytes(static_cast<std::size_t>(end - begin), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = pread(file.get(), bytes.data() + done, bytes.size() - done,
                             begin + static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail(path, count < 0 ? std::strerror(errno) : "it became shorter");
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

// The bytes after the last newline.
std::string last_line(const std::filesystem::path& path, const descriptor& file) {
  constexpr off_t part = 65536;
  const auto size = lseek(file.get(), 0, SEEK_END);
  for (auto end = size; end > 0; end -= std::min(end, part)) {
    const auto begin = end - std::min(end, part);
    const auto newline = bytes_of(path, file, begin, end).rfind('\n');
    if (newline != std::string::npos)
      return bytes_of(path, file, begin + static_cast<off_t>(newline) + 1, size);
  }
  return bytes_of(path, file, 0, size);
}

bool is_compressed(const std::filesystem::path& path, const descriptor& file) {
  constexpr std::string_view gzip = "\x1F\x8B";
  return lseek(file.get(), 0, SEEK_END) >= 2 && bytes_of(path, file, 0, 2) == gzip;
}

}  // namespace

journal::journal(const std::filesystem::path& file) : path_{file} {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) fail(file.parent_path(), error.message());
  file_ = descriptor{open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644)};
  if (!file_) fail(path_, std::strerror(errno));
  try {
    lock(path_, file_);
  } catch (...) {
    std::filesystem::remove(path_, error);
    throw;
  }
}

journal::journal(std::filesystem::path file, descriptor opened)
    : path_{std::move(file)}, file_{std::move(opened)} {}

journal journal::begin(const std::filesystem::path& file, const std::vector<std::string>& lines) {
  journal begun{file};
  try {
    for (const auto& each : lines) begun.append(each);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    throw;
  }
  return begun;
}

journal journal::go_on(const std::filesystem::path& file) {
  descriptor opened{open(file.c_str(), O_RDWR | O_APPEND | O_CLOEXEC)};
  if (!opened) fail(file, std::strerror(errno));
  lock(file, opened);
  if (is_compressed(file, opened)) fail(file, "it is compressed");
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

void journal::close() {
  if (::close(file_.release()) != 0) fail(path_, std::strerror(errno));
}

}  // namespace bench
