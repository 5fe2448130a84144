#include <fibers/local.hpp>

#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>

namespace fibers::local {
namespace {

struct address {
  sockaddr_un name{};
  socklen_t length = 0;
  int error = 0;  // an errno value: why the path is no address

  explicit address(std::string_view path) {
    const bool abstract = path.starts_with('\0');  // its length says where it ends, and no NUL
    const auto size = path.size() + (abstract ? 0 : 1);
    if (path.empty() || (!abstract && path.find('\0') != path.npos)) {
      error = EINVAL;
    } else if (size > sizeof name.sun_path) {
      error = ENAMETOOLONG;
    } else {
      name.sun_family = AF_UNIX;
      path.copy(name.sun_path, path.size());
      length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
    }
  }
  const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&name); }
};

// For messages, as ss(8) writes it: with @ for each NUL.
std::string text_of(std::string_view path) {
  std::string text{path};
  std::ranges::replace(text, '\0', '@');
  return text;
}

}  // namespace

stream stream::from_descriptor(int descriptor) {
  stream taken;
  taken.assign(descriptor);
  return taken;
}

void stream::connect(std::string_view path, error_code& error) {
  const address peer{path};
  if (peer.error != 0) {
    drop_descriptor();
    error = code_of(peer.error);
    return;
  }
  socket::connect(peer.generic(), peer.length, error);
}

void stream::connect(std::string_view path) {
  error_code error;
  connect(path, error);
  if (error) throw_error(error, "connect to " + text_of(path));
}

listener::listener(std::string_view path, int backlog) : listener{} {
  error_code error;
  listen(path, backlog, error);
  if (error) throw_error(error, "listen on " + text_of(path));
}

void listener::listen(std::string_view path, int backlog, error_code& error) {
  const address local{path};
  int failure = open(AF_UNIX);
  if (failure == 0) failure = local.error;
  if (failure == 0) failure = socket::listen(local.generic(), local.length, backlog);
  error = code_of(failure);
  if (error) drop_descriptor();
}

stream listener::accept(error_code& error) {
  auto* const owner = scheduler_;  // this listener may be gone when the call ends
  const int accepted = socket::accept(error);
  return error ? stream{} : stream{*owner, accepted};
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
  if (error) throw_error(error, "connect to " + text_of(path));
  return connected;
}

}  // namespace fibers::local
