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

listener::listener(std::string_view path, int backlog) : listener{} {
  error_code error;
  listen(path, backlog, error);
  if (error) throw_error(error, "listen on " + std::string{path});
}

void listener::listen(std::string_view path, int backlog, error_code& error) {
  const address local{path};
  int failure = open(AF_UNIX);
  if (failure == 0 && local.length == 0) failure = ENAMETOOLONG;
  if (failure == 0) failure = socket::listen(local.generic(), local.length, backlog);
  error = code_of(failure);
  if (error) drop_descriptor();
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

stream connect(std::string_view path, error_code& error) {
  return connect_until(path, never, error);
}

stream connect(std::string_view path) {
  return connect_until(path, never);
}

stream connect_until(std::string_view path, clock::time_point moment, error_code& error) {
  stream connected;
  if (moment != never) connected.expires_at(moment);
  connected.connect(path, error);
  connected.expires_never();
  return connected;
}

stream connect_until(std::string_view path, clock::time_point moment) {
  error_code error;
  auto connected = connect_until(path, moment, error);
  if (error) throw_error(error, "connect to " + std::string{path});
  return connected;
}

}  // namespace fibers::local
