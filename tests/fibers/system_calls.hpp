// system_calls: counts the system calls that a piece of code makes.
//
//     const auto counted = count_system_calls([] {
//       const descriptor pipe = make_pipe();      // not counted
//       start_counting();
//       write_ten_times(pipe);
//       stop_counting();
//     });
//     BOOST_TEST(counted.total() == 10);
//
// The code runs in a child process under ptrace(2), which needs no privileges and costs about ten
// microseconds per system call. Create reactors inside the code: they do not survive a fork.
//
// Only calls of the thread that runs the code count, so the thread of a sanitizer does not disturb.
// Give such a test `*boost::unit_test::precondition(system_calls_can_be_counted)`. Where tracing is
// forbidden, the test is then skipped, and the log names it.
#pragma once

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <iosfwd>
#include <map>

struct system_calls {
  std::map<long, int> counts;  // by system call number, such as SYS_read

  int total() const;
  int of(long number) const;
};

// "epoll_pwait2 100, read 3"
std::ostream& operator<<(std::ostream& out, const system_calls& counted);

// Throws std::runtime_error with the reason if a check of Boost.Test in `code` fails, if `code`
// throws or ends its process, if a signal would end the process, or if `code` takes longer than
// `at_most`. No child process is left in any case.
system_calls count_system_calls(const std::function<void()>& code,
                                std::chrono::seconds at_most = std::chrono::seconds{60});

// `code` may call these several times, to count several parts together.
void start_counting() noexcept;
void stop_counting() noexcept;

boost::test_tools::assertion_result system_calls_can_be_counted(boost::unit_test::test_unit_id);
