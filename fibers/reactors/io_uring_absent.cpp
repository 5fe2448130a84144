// Replaces io_uring.cpp in a build without liburing.
#include <fibers/reactors/make_reactor.hpp>

#include <cerrno>
#include <system_error>

namespace fibers {

std::unique_ptr<reactor> make_io_uring_reactor() {
  throw std::system_error{ENOTSUP, std::system_category(), "built without liburing"};
}

}  // namespace fibers
