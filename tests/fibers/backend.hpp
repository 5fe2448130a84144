// backend: the reactor that this run tests.
//
// CTest runs the program once per reactor, such as `reactor_test -- epoll`. On a machine without
// the reactor the program ends with exit code 77, which CTest shows as skipped. Three more names
// are rings with other settings: `io_uring_gathering`, on which each sleep waits for several
// completions, `io_uring_loud`, on which none does, each send is completed and all bytes are
// copied, and `io_uring_straight`, on which none are.
#pragma once

#include <fibers/reactors/make_reactor.hpp>

#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <tests/fibers/forced_settings.hpp>

// The reactor that the command line names; without a name, io::automatic.
inline fibers::io backend() {
  static const fibers::io chosen = [] {
    const auto& suite = boost::unit_test::framework::master_test_suite();
    const std::string name = suite.argc > 1 ? suite.argv[1] : "auto";
    if (force_settings(name)) return fibers::io::io_uring;
    const auto named = fibers::io_named(name);
    if (!named) throw std::invalid_argument{name + " is no reactor"};
    return *named;
  }();
  return chosen;
}

// Whether bytes wait in the reactor: received ones for a receive, and sent ones for room.
inline bool keeps_bytes() {
  return backend() == fibers::io::io_uring && !all_goes_straight();
}

// Only io_uring may be missing; every Linux has the others.
struct available_backend {
  available_backend() try {
    fibers::make_reactor(backend());
  } catch (const boost::system::system_error& error) {
    if (backend() != fibers::io::io_uring) throw;
    std::cout << "skipped: " << error.what() << '\n';
    std::exit(77);
  }
};
BOOST_TEST_GLOBAL_FIXTURE(available_backend);
