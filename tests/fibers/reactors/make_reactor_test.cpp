// Which reactor a program gets where the system forbids the better ones, and what it is told.
#include <fibers/reactors/make_reactor.hpp>

#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>

#include <tests/fibers/forbidden.hpp>
#include <tests/fibers/forked.hpp>
#include <tests/texts.hpp>

using fibers::io;

namespace {

std::string said_of_io_uring() {
  try {
    fibers::make_reactor(io::io_uring);
  } catch (const boost::system::system_error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

BOOST_AUTO_TEST_CASE(where_io_uring_is_forbidden_the_best_is_epoll_and_where_that_is_too_poll) {
  const int ended = exit_code_of([] {
    forbid(SYS_io_uring_setup, EPERM);
    if (fibers::make_reactor(io::automatic)->backend() != io::epoll) return 1;
    forbid(SYS_epoll_create1, EPERM);
    return fibers::make_reactor(io::automatic)->backend() == io::poll ? 0 : 2;
  });
  BOOST_TEST(ended == 0);
}

#if __has_include(<liburing.h>)
BOOST_AUTO_TEST_CASE(io_uring_says_why_it_is_not_there) {
  BOOST_TEST(exit_code_of([] {
               forbid(SYS_io_uring_setup, EPERM);
               return contains(said_of_io_uring(), "io_uring is forbidden here") ? 0 : 1;
             }) == 0);
  BOOST_TEST(exit_code_of([] {
               forbid(SYS_io_uring_setup, EINVAL);
               return contains(said_of_io_uring(), "io_uring needs Linux 6.1") ? 0 : 1;
             }) == 0);
  BOOST_TEST(exit_code_of([] {
               forbid(SYS_io_uring_setup, ENOMEM);
               return contains(said_of_io_uring(), "memory") ? 0 : 1;
             }) == 0);
}
#endif

BOOST_AUTO_TEST_CASE(a_reactor_is_found_by_its_name_and_nothing_by_another) {
  for (const auto each : {io::automatic, io::select, io::poll, io::epoll, io::io_uring}) {
    BOOST_TEST((fibers::io_named(fibers::name_of(each)) == each));
  }
  BOOST_TEST(!fibers::io_named("kqueue"));
  BOOST_TEST(!fibers::io_named(""));
  BOOST_TEST(fibers::name_of(static_cast<io>(99)) == "unknown");
}
