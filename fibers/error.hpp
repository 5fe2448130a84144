// error: how every call of this library reports what goes wrong.
//
//     stream.read_some(buffer, error);      // sets a boost::system::error_code
//     stream.read_some(buffer);             // throws a boost::system::system_error with that code
//
// Errors of the world (a peer, the kernel, a limit of the system) are these two, as in Asio, and
// nothing else. The text of the exception says what was tried. A lack of heap memory is
// std::bad_alloc. Errors of the programmer are std::logic_error where the check is cheap, and
// assertions elsewhere. A fiber that is cancelled unwinds by `cancelled`, which is no
// std::exception.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <string>

namespace fibers {

using boost::system::error_code;

// The code of an errno value; 0 is success.
inline error_code code_of(int error) noexcept {
  return {error, boost::system::system_category()};
}

[[noreturn]] inline void throw_error(const error_code& error, const std::string& what) {
  throw boost::system::system_error{error, what};
}
[[noreturn]] inline void throw_error(int error, const std::string& what) {
  throw_error(code_of(error), what);
}

}  // namespace fibers
