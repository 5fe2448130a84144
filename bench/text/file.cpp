#include <bench/text/file.hpp>

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace bench {
namespace {

// More than any run has. What gzip made a thousand times smaller would take all memory.
constexpr std::size_t most_bytes = std::size_t{256} << 20;

[[noreturn]] void fail_to_read(const std::filesystem::path& file, std::string_view reason) {
  throw std::runtime_error{fmt::format("{}: {}", file.string(), reason)};
}

[[noreturn]] void fail_to_write(const std::filesystem::path& file, std::string_view reason) {
  throw std::runtime_error{fmt::format("cannot write {}: {}", file.string(), reason)};
}

struct closes {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

std::error_code last_error() {
  return {errno, std::generic_category()};
}

// On a full disk fwrite() or only fclose() fails, so both are checked.
std::error_code write_file(const std::filesystem::path& file, std::string_view text) {
  std::FILE* out = std::fopen(file.c_str(), "wb");
  if (!out) return last_error();
  std::error_code error;
  if (std::fwrite(text.data(), 1, text.size(), out) != text.size()) error = last_error();
  if (std::fclose(out) != 0 && !error) error = last_error();
  return error;
}

// Copies the permissions of `from`, if it exists.
std::error_code keep_permissions(const std::filesystem::path& from,
                                 const std::filesystem::path& to) {
  std::error_code error;
  const auto before = std::filesystem::status(from, error);
  if (!std::filesystem::exists(before)) return {};
  std::filesystem::permissions(to, before.permissions(), error);
  return error;
}

}  // namespace

std::string file_text(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file)) fail_to_read(file, "is a folder");
  // gzread() returns data that is not compressed as it is.
  const std::unique_ptr<gzFile_s, closes> in{gzopen(file.c_str(), "rb")};
  if (!in) fail_to_read(file, std::strerror(errno));
  std::string text;
  std::array<char, 65536> part;
  for (;;) {
    const int count = gzread(in.get(), part.data(), part.size());
    if (count > 0) text.append(part.data(), static_cast<std::size_t>(count));
    if (text.size() > most_bytes) fail_to_read(file, "holds more than 256 MiB");
    if (count == static_cast<int>(part.size())) continue;
    int code = Z_OK;
    const char* reason = gzerror(in.get(), &code);
    if (code == Z_OK) return text;
    fail_to_read(file, code == Z_ERRNO       ? std::strerror(errno)
                       : code == Z_BUF_ERROR ? "is cut short"
                                             : reason);
  }
}

void replace_file(const std::filesystem::path& named, std::string_view text) {
  std::error_code unknown;
  const auto before = std::filesystem::status(named, unknown);
  if (std::filesystem::exists(before) && !std::filesystem::is_regular_file(before)) {
    if (const auto error = write_file(named, text)) fail_to_write(named, error.message());
    return;
  }
  const auto target = std::filesystem::canonical(named, unknown);  // where a symbolic link leads
  const auto& file = unknown ? named : target;
  auto unfinished = file;
  unfinished += ".unfinished";
  auto error = write_file(unfinished, text);
  if (!error) error = keep_permissions(file, unfinished);
  if (!error) std::filesystem::rename(unfinished, file, error);
  if (!error) return;
  std::error_code ignored;
  std::filesystem::remove(unfinished, ignored);
  fail_to_write(named, error.message());
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail_to_write(folder, error.message());
}

}  // namespace bench
