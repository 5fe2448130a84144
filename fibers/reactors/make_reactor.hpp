// make_reactor: the one file that knows every reactor.
#pragma once

#include <fibers/reactor.hpp>

#include <memory>

namespace fibers {

// Makes the backend asked for; `automatic` takes io_uring, else epoll, else poll. Throws
// std::system_error with the reason when the one asked for does not work here.
std::unique_ptr<reactor> make_reactor(io backend);

// Throws std::system_error where io_uring does not work, or the library was built without liburing.
std::unique_ptr<reactor> make_io_uring_reactor();

}  // namespace fibers
