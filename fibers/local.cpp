#include <fibers/local.hpp>

#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <string>

namespace fibers::local {
namespace {

struct address {
  sockaddr_un name{};
  socklen_t length = 0;  // 0: the path is too long

  explicit address(std::string_view path) {
    name.sun_family = AF_UNIX;
    if (path.size() >= sizeof name.sun_path) return;
    path.copy(name.sun_path, path.size());
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  }
  const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&name); }
};

}  // namespace

stream stream::from_descriptor(int descriptor) {
  stream taken;
  taken.assign(descriptor);
  return taken;
}

void stream::connect(std::string_view path, error_code& error) {
  const address peer{path};
  if (peer.length == 0) {
    drop_descriptor();
    error = code_of(ENAMETOOLONG);
    return;
  }
  socket::connect(peer.generic(), peer.length, error);
}

void stream::connect(std::string_view path) {
  error_code error;
  connect(path, error);
  if (error) throw_error(error, "connect to " + std::string{path});
}

listener::listener(std::string_view path, int backlog)
    : socket{scheduler::current(), ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  const address local{path};
  const int failure = descriptor_ < 0     ? errno
                      : local.length == 0 ? ENAMETOOLONG
                                          : listen(local.generic(), local.length, backlog);
  if (failure != 0) throw_error(failure, "listen on " + std::string{path});
}

stream listener::accept(error_code& error) {
  const int accepted = socket::accept(error);
  return error ? stream{} : stream{*scheduler_, accepted};
}

stream listener::accept() {
  error_code error;
  auto accepted = accept(error);
  if (error) throw_error(error, "accept");
  return accepted;
}

stream connect(std::string_view path) {
  return connect_until(path, never);
}

stream connect_until(std::string_view path, clock::time_point moment) {
  stream connected;
  if (moment != never) connected.expires_at(moment);
  connected.connect(path);
  connected.expires_never();
  return connected;
}

}  // namespace fibers::local
