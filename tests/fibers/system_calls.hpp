// system_calls: which system calls a piece of code makes, exactly.
//
//     const auto counted = count_system_calls([] {
//       const descriptor pipe = make_pipe();      // not counted
//       start_counting();
//       write_ten_times(pipe);
//       stop_counting();
//     });
//     BOOST_TEST(counted.total() == 10);
//
// The code runs in a process of its own, which is traced: no privileges are needed. It pays for
// that with some ten microseconds per system call. Make descriptors there, not before: a reactor
// does not survive a fork.
//
// Only calls of the thread that calls start_counting() count, so a sanitizer's own thread does not
// disturb. A fact that counts has `*boost::unit_test::precondition(system_calls_can_be_counted)`:
// where tracing is forbidden it is skipped by name.
#pragma once

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <iosfwd>
#include <map>

struct system_calls {
  std::map<long, int> counts;  // by number: SYS_read

  int total() const;
  int of(long number) const;
};

// "epoll_pwait2 100, read 3"
std::ostream& operator<<(std::ostream& out, const system_calls& counted);

// Checks of Boost.Test in `code` count: throws std::runtime_error, which says why, when one fails,
// when `code` throws, when a signal would end its process, and when it takes longer than allowed.
// Then the process is killed.
system_calls count_system_calls(const std::function<void()>& code,
                                std::chrono::seconds at_most = std::chrono::seconds{60});

// May be called several times, for several parts.
void start_counting() noexcept;
void stop_counting() noexcept;

boost::test_tools::assertion_result system_calls_can_be_counted(boost::unit_test::test_unit_id);
