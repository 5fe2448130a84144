// make_reactor: the one file that knows every reactor.
#pragma once

#include <fibers/gather.hpp>
#include <fibers/reactor.hpp>

#include <memory>

namespace fibers {

// Makes a reactor of the given backend. `automatic` takes io_uring, else epoll, else poll. Throws
// boost::system::system_error, with the reason, if the backend does not work here.
std::unique_ptr<reactor> make_reactor(io backend, gather how = gather::automatic);

// Throws boost::system::system_error if io_uring does not work here or the library was built
// without liburing.
std::unique_ptr<reactor> make_io_uring_reactor(gather how);

}  // namespace fibers
