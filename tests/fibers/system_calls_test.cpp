// The counter of system calls that other tests use: its counts are right, and it reports it if the
// counted code fails.
#include <tests/fibers/system_calls.hpp>

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <bench/contract/descriptor.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using bench::descriptor;

namespace {

void write_often(int times) {
  const descriptor event{::eventfd(0, EFD_CLOEXEC)};
  const std::uint64_t one = 1;
  start_counting();
  for (int i = 0; i < times; ++i) BOOST_REQUIRE(::write(event.get(), &one, sizeof one) == 8);
  stop_counting();
}

bool says(const std::exception& error, const std::string& expected) {
  BOOST_TEST(std::string{error.what()}.find(expected) != std::string::npos, error.what());
  return true;
}

void no_child_is_left() {
  BOOST_TEST(::waitpid(-1, nullptr, WNOHANG) == -1);
  BOOST_TEST(errno == ECHILD);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(counting, *boost::unit_test::precondition(system_calls_can_be_counted))

BOOST_AUTO_TEST_CASE(ten_writes_are_ten_system_calls) {
  const auto counted = count_system_calls([] { write_often(10); });
  BOOST_TEST(counted.of(SYS_write) == 10);
  BOOST_TEST(counted.total() == 10);
}

BOOST_AUTO_TEST_CASE(without_a_mark_none_is_counted) {
  BOOST_TEST(count_system_calls([] { ::getppid(); }).total() == 0);
}

BOOST_AUTO_TEST_CASE(several_parts_add_up) {
  const auto counted = count_system_calls([] {
    write_often(2);
    ::getppid();
    write_often(3);
  });
  BOOST_TEST(counted.total() == 5);
}

BOOST_AUTO_TEST_CASE(a_call_that_fails_is_one) {
  const auto counted = count_system_calls([] {
    start_counting();
    ::close(-1);
    stop_counting();
  });
  BOOST_TEST(counted.of(SYS_close) == 1);
  BOOST_TEST(counted.total() == 1);
}

BOOST_AUTO_TEST_CASE(those_of_another_thread_do_not_count) {
  const auto counted = count_system_calls([] {
    start_counting();
    std::thread{[] {
      for (int i = 0; i < 100; ++i) ::getppid();
    }}.join();
    stop_counting();
  });
  BOOST_TEST(counted.of(SYS_getppid) == 0);
}

BOOST_AUTO_TEST_CASE(the_code_runs_in_another_process) {
  int here = 0;
  count_system_calls([&] { ++here; });
  BOOST_TEST(here == 0);
  no_child_is_left();
}

BOOST_AUTO_TEST_CASE(it_prints_names) {
  std::ostringstream text;
  text << count_system_calls([] { write_often(3); });
  BOOST_TEST(text.str() == "write 3");
}

BOOST_AUTO_TEST_CASE(what_the_code_throws_is_told) {
  BOOST_CHECK_EXCEPTION(count_system_calls([] { throw std::runtime_error{"lost"}; }),
                        std::runtime_error, [](const auto& error) { return says(error, "lost"); });
  no_child_is_left();
}

BOOST_AUTO_TEST_CASE(a_check_that_fails_there_fails_here) {
  const auto quietly_check = [](bool requires_it) {
    boost::unit_test::unit_test_log.set_threshold_level(boost::unit_test::log_nothing);
    if (requires_it) BOOST_REQUIRE(false);
    BOOST_TEST(false);
  };
  for (const bool requires_it : {false, true}) {
    BOOST_CHECK_EXCEPTION(count_system_calls([&] { quietly_check(requires_it); }),
                          std::runtime_error,
                          [](const auto& error) { return says(error, "a check failed"); });
  }
}

BOOST_AUTO_TEST_CASE(code_that_ends_its_process_is_told) {
  BOOST_CHECK_EXCEPTION(count_system_calls([] { ::_exit(3); }), std::runtime_error,
                        [](const auto& error) { return says(error, "it ended early"); });
  no_child_is_left();
}

BOOST_AUTO_TEST_CASE(a_signal_that_would_end_it_is_told) {
  BOOST_CHECK_EXCEPTION(count_system_calls([] { ::raise(SIGSEGV); }), std::runtime_error,
                        [](const auto& error) { return says(error, "Segmentation fault"); });
  BOOST_CHECK_EXCEPTION(count_system_calls([] { ::raise(SIGTERM); }), std::runtime_error,
                        [](const auto& error) { return says(error, "Terminated"); });
  no_child_is_left();
}

BOOST_AUTO_TEST_CASE(code_without_an_end_is_ended) {
  for (const bool asks_the_kernel : {false, true}) {
    const auto never_end = [=] {
      for (volatile bool on = true; on;) {
        if (asks_the_kernel) ::getppid();
      }
    };
    BOOST_CHECK_EXCEPTION(count_system_calls(never_end, 1s), std::runtime_error,
                          [](const auto& error) { return says(error, "it takes too long"); });
  }
  BOOST_CHECK_EXCEPTION(count_system_calls([] { ::pause(); }, 1s), std::runtime_error,
                        [](const auto& error) { return says(error, "it takes too long"); });
  no_child_is_left();
}

BOOST_AUTO_TEST_SUITE_END()
