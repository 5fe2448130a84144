#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <bench/failure.hpp>
#include <bench/journal.hpp>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace bench {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& reason) {
  throw run_invalid(fmt::format("cannot write {}: {}", path.string(), reason));
}

}  // namespace

journal::journal(const std::filesystem::path& file) : path_{file} {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) fail(file.parent_path(), error.message());
  file_ = descriptor{open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644)};
  if (!file_) fail(path_, std::strerror(errno));
}

journal::journal(const std::filesystem::path& file, descriptor opened)
    : path_{file}, file_{std::move(opened)} {}

journal journal::go_on(const std::filesystem::path& file) {
  descriptor opened{open(file.c_str(), O_RDWR | O_APPEND | O_CLOEXEC)};
  if (!opened) fail(file, std::strerror(errno));
  auto end = lseek(opened.get(), 0, SEEK_END);
  char last = '\n';
  for (; end > 0; --end) {
    if (pread(opened.get(), &last, 1, end - 1) != 1) fail(file, std::strerror(errno));
    if (last == '\n') break;
  }
  if (ftruncate(opened.get(), end) != 0) fail(file, std::strerror(errno));
  return {file, std::move(opened)};
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
