#include <fibers/error.hpp>
#include <fibers/reactors/epoll.hpp>
#include <fibers/reactors/make_reactor.hpp>
#include <fibers/reactors/poll.hpp>
#include <fibers/reactors/select.hpp>

namespace fibers {
namespace {

template <class Reactor>
std::unique_ptr<reactor> make(gather) {
  return std::make_unique<Reactor>();
}

constexpr struct {
  io backend;
  std::unique_ptr<reactor> (*make)(gather how);
} makers[] = {
    {io::select, make<select_reactor>},
    {io::poll, make<poll_reactor>},
    {io::epoll, make<epoll_reactor>},
    {io::io_uring, make_io_uring_reactor},
};

std::unique_ptr<reactor> make_best(gather how) {
  for (const auto candidate : {io::io_uring, io::epoll}) {
    try {
      return make_reactor(candidate, how);
    } catch (const boost::system::system_error&) {  // normal in containers, which forbid io_uring
    }
  }
  return make_reactor(io::poll, how);
}

}  // namespace

std::unique_ptr<reactor> make_reactor(io backend, gather how) {
  for (const auto& each : makers) {
    if (each.backend == backend) return each.make(how);
  }
  return make_best(how);
}

}  // namespace fibers
