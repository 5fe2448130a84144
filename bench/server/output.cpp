#include <bench/server/output.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstring>

namespace bench {
namespace {

constexpr std::size_t last_words = 4096;
constexpr off_t kept_at_each_end = 64 << 10;
constexpr off_t much = 2 << 20;

off_t size_of(int file) {
  struct stat found {};
  return fstat(file, &found) == 0 ? found.st_size : 0;
}

}  // namespace

server_output::server_output(const char* name) : file_{memfd_create(name, MFD_CLOEXEC)} {
  if (!file_)
    throw run_invalid(fmt::format("cannot create a memory file: {}", std::strerror(errno)));
}

std::optional<std::string> server_output::next_line() {
  for (;;) {
    const auto end = unread_.find('\n', begin_);
    if (end != std::string::npos) {
      auto line = unread_.substr(begin_, end - begin_);
      begin_ = end + 1;
      return line;
    }
    unread_.erase(0, begin_);
    begin_ = 0;
    std::array<char, 65536> bytes;
    const auto count = pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(read_));
    if (count <= 0) return std::nullopt;
    read_ += static_cast<std::size_t>(count);
    unread_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

std::string server_output::last_line() const {
  std::string text(last_words, '\0');
  const auto start = std::max<off_t>(0, size_of(file_.get()) - static_cast<off_t>(last_words));
  const auto count = pread(file_.get(), text.data(), text.size(), start);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const auto end = text.rfind('\n');
  return end == std::string::npos ? text : text.substr(end + 1);
}

void server_output::discard_old() const {
  const auto size = size_of(file_.get());
  if (size <= much) return;
  fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kept_at_each_end,
            size - 2 * kept_at_each_end);
}

}  // namespace bench
