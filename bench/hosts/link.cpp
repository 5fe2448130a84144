#include <bench/hosts/link.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <bench/load/address.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace bench {
namespace {

bool is_readable(int descriptor, std::chrono::milliseconds longest) {
  pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, static_cast<int>(longest.count())) > 0;
}

descriptor unix_socket() {
  descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket) throw run_invalid(fmt::format("cannot open a socket: {}", std::strerror(errno)));
  return socket;
}

}  // namespace

link link::to(const std::string& path) {
  auto socket = unix_socket();
  const auto where = address::on_path(path);
  if (::connect(socket.get(), where.get(), where.length) != 0) throw link_broken{};
  return link{std::move(socket)};
}

void link::send(const std::string& text) {
  const std::uint64_t length = text.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  bytes += text;
  for (std::string_view left = bytes; !left.empty();) {
    const auto count = ::send(socket_.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw link_broken{};
    left.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::optional<std::string> link::take() {
  std::uint64_t length = 0;
  if (unread_.size() < sizeof length) return std::nullopt;
  std::memcpy(&length, unread_.data(), sizeof length);
  if (unread_.size() - sizeof length < length) return std::nullopt;
  auto text = unread_.substr(sizeof length, length);
  unread_.erase(0, sizeof length + length);
  return text;
}

std::optional<std::string> link::receive(std::chrono::milliseconds longest) {
  for (;;) {
    if (auto text = take()) return text;
    if (!is_readable(socket_.get(), longest)) return std::nullopt;
    char bytes[64 * 1024];
    const auto count = recv(socket_.get(), bytes, sizeof bytes, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw link_broken{};
    unread_.append(bytes, static_cast<std::size_t>(count));
  }
}

link_listener::link_listener() : listener_{unix_socket()} {
  auto name = (std::filesystem::temp_directory_path() / "echobench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw run_invalid(fmt::format("cannot make a folder {}: {}", name, std::strerror(errno)));
  folder_ = name;
  const auto where = address::on_path(path());
  if (bind(listener_.get(), where.get(), where.length) != 0 || listen(listener_.get(), 1) != 0)
    throw run_invalid(fmt::format("cannot listen on {}: {}", path(), std::strerror(errno)));
}

link_listener::~link_listener() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::optional<link> link_listener::accept(std::chrono::milliseconds longest) {
  if (!is_readable(listener_.get(), longest)) return std::nullopt;
  descriptor socket{accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  if (!socket) return std::nullopt;
  return link{std::move(socket)};
}

}  // namespace bench
