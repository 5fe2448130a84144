// faults: lets one use of one system call fail or fall short.
//
//     faults::watch([&] { scenario(); });                            // counts, and changes nothing
//     const int uses = faults::uses(faults::call::recv);
//     faults::strike({faults::call::recv, 3, ECONNRESET}, [&] { scenario(); });  // the third fails
//
// The linker's --wrap leads the library's calls here (tests/fibers/CMakeLists.txt). What io_uring
// does happens in the kernel, so there a completion is rewritten before the library sees it. Only
// the calls of the thread that runs the scenario count.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string_view>

class faults {
 public:
  enum class call {
    accept4,
    bind,
    close,
    connect,
    epoll_create1,
    epoll_ctl,
    epoll_wait,
    eventfd,
    fcntl,
    getsockopt,
    listen,
    madvise,
    mmap,
    mprotect,
    munmap,
    poll,
    read,
    recv,
    recvmsg,
    select,
    send,
    sendmsg,
    setsockopt,
    shutdown,
    socket,
    thread_start,
    timerfd_create,
    ring_setup,
    ring_enter,
    completion,  // of io_uring: `error` becomes its result
    allocation,  // operator new throws std::bad_alloc
    count
  };

  // Instead of an error: the call transfers one byte.
  static constexpr int one_byte = -1;

  struct fault {
    call of;
    int use;    // from 1
    int error;  // an errno value, or one_byte
  };

  static std::string_view name(call of);

  // The errors to try for a call: those that its manual page names and that can come without a
  // mistake of the program.
  static std::span<const int> errors(call of);

  // Runs `scenario` on this thread and counts how often it uses each call.
  static void watch(const std::function<void()>& scenario);
  static void strike(fault wanted, const std::function<void()>& scenario);

  static int uses(call of);  // in the latest scenario
  static int all_uses();
  static bool struck();  // whether the fault came to pass
};
