// forked: runs a function in a child process that is a copy of this one.
//
//     BOOST_TEST(exit_code_of([] { ...; return 0; }) == 0);
//
// A child that takes five seconds of processor time, or twenty seconds, is killed. Nothing in the
// child may use Boost.Test, which would report it a second time.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tests/fibers/raw_socket.hpp>

// The negated signal number if a signal has ended the child; 99 if an exception has left the body.
template <class Body>
int exit_code_of(Body body) {
  const auto child = checked(::fork(), "fork");
  if (child == 0) {
    for (const int each : {SIGSEGV, SIGBUS, SIGABRT, SIGALRM, SIGXCPU, SIGTERM}) {
      ::signal(each, SIG_DFL);
    }
    constexpr rlimit processor_time{5, 5};
    ::setrlimit(RLIMIT_CPU, &processor_time);
    ::alarm(20);
    int code = 99;
    try {
      code = body();
    } catch (...) {
    }
    ::_exit(code);
  }
  int status = 0;
  checked(::waitpid(child, &status, 0), "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
