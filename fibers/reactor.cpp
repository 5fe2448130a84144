#include <fibers/reactor.hpp>
#include <fibers/reactors/epoll.hpp>
#include <fibers/reactors/poll.hpp>
#include <fibers/reactors/select.hpp>

#include <cerrno>
#include <string>
#include <system_error>

namespace fibers {

std::string_view name_of(io backend) noexcept {
  switch (backend) {
    case io::automatic:
      return "auto";
    case io::select:
      return "select";
    case io::poll:
      return "poll";
    case io::epoll:
      return "epoll";
    case io::io_uring:
      return "io_uring";
  }
  return "unknown";
}

std::optional<io> io_named(std::string_view name) noexcept {
  for (const auto backend : {io::automatic, io::select, io::poll, io::epoll, io::io_uring}) {
    if (name == name_of(backend)) return backend;
  }
  return std::nullopt;
}

std::unique_ptr<reactor> reactor::make(io backend) {
  switch (backend) {
    case io::select:
      return std::make_unique<select_reactor>();
    case io::poll:
      return std::make_unique<poll_reactor>();
    case io::epoll:
      return std::make_unique<epoll_reactor>();
    case io::io_uring:
      return make_io_uring_reactor();
    case io::automatic:
      break;
  }
  for (const auto candidate : {io::io_uring, io::epoll}) {
    try {
      return make(candidate);
    } catch (const std::system_error&) {  // containers forbid io_uring; that is a normal day
    }
  }
  return make(io::poll);
}

}  // namespace fibers
