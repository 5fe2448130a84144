// Replaces io_uring.cpp in a build without liburing.
#include <fibers/error.hpp>
#include <fibers/reactors/make_reactor.hpp>

#include <cerrno>

namespace fibers {

std::unique_ptr<reactor> make_io_uring_reactor(gather) {
  throw_error(ENOTSUP, "built without liburing");
}

}  // namespace fibers
