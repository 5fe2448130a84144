#include <tests/fibers/system_calls.hpp>

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bench/contract/descriptor.hpp>
#include <boost/test/results_collector.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <iostream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace {

// Negative, so they are no descriptors: closing them fails and has no other effect.
constexpr int start_marker = -0x5742;
constexpr int stop_marker = -0x5743;

struct not_permitted : std::runtime_error {
  using runtime_error::runtime_error;
};

std::system_error failed(const char* what) {
  return {errno, std::system_category(), what};
}

// --- the process that is traced --------------------------------------------------------------

constexpr int exit_not_permitted = 70;

auto failed_checks() {
  using namespace boost::unit_test;
  return results_collector.results(framework::current_test_case_id()).p_assertions_failed.get();
}

std::string run_and_say_why_it_failed(const std::function<void()>& code) {
  const auto before = failed_checks();
  try {
    code();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {  // thrown by BOOST_REQUIRE
    return "a check failed";
  }
  return failed_checks() > before ? "a check failed" : "";
}

// Ends by _exit(), so the child neither returns into the test framework nor runs LeakSanitizer,
// which does not work in a traced process.
[[noreturn]] void be_traced(const std::function<void()>& code, int told,
                            std::chrono::seconds at_most) noexcept {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(exit_not_permitted);
  ::raise(SIGSTOP);
  ::alarm(static_cast<unsigned>(at_most.count()));
  const auto why = run_and_say_why_it_failed(code);
  std::cout.flush();
  std::cerr.flush();
  if (why.empty()) ::_exit(0);
  [[maybe_unused]] const auto written = ::write(told, why.data(), why.size());
  ::_exit(1);
}

// --- the process that traces -----------------------------------------------------------------

class traced_process {
 public:
  traced_process(const std::function<void()>& code, std::chrono::seconds at_most) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw failed("pipe");
    std::cout.flush();
    pid_ = ::fork();
    if (pid_ == 0) be_traced(code, ends[1], at_most);
    why_ = bench::descriptor{ends[0]};
    ::close(ends[1]);
    if (pid_ < 0) throw failed("fork");
  }
  ~traced_process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  traced_process(const traced_process&) = delete;
  traced_process& operator=(const traced_process&) = delete;

  pid_t pid() const { return pid_; }

  // Waits until the process stops or ends. Returns the status from waitpid().
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) {
      if (errno != EINTR) throw failed("waitpid");
    }
    if (!WIFSTOPPED(status)) pid_ = 0;
    return status;
  }
  void go_on(int signal) const {
    if (::ptrace(PTRACE_SYSCALL, pid_, nullptr, signal) != 0 && errno != ESRCH) {
      throw failed("ptrace");
    }
  }
  std::string why_it_failed() const {
    std::array<char, 4096> text;
    const auto size = ::read(why_.get(), text.data(), text.size());
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "it ended early";
  }

 private:
  pid_t pid_ = -1;
  bench::descriptor why_;
};

void begin_tracing(traced_process& process) {
  const int status = process.wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == exit_not_permitted) {
    throw not_permitted{"this process may not be traced"};
  }
  if (!WIFSTOPPED(status)) throw std::runtime_error{"the counted code: it never began"};
  constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
  if (::ptrace(PTRACE_SETOPTIONS, process.pid(), nullptr, options) != 0) {
    throw not_permitted{failed("PTRACE_SETOPTIONS").what()};
  }
}

// --- counting --------------------------------------------------------------------------------

class counter {
 public:
  explicit counter(traced_process& process) : process_{process} {}

  system_calls run() {
    int signal = 0;
    for (;;) {
      process_.go_on(signal);
      const int status = process_.wait();
      if (!WIFSTOPPED(status)) return ended(status);
      signal = WSTOPSIG(status);
      if (signal == (SIGTRAP | 0x80)) {  // by PTRACE_O_TRACESYSGOOD
        at_system_call();
        signal = 0;
      }
      refuse_to_go_on(signal);
    }
  }

 private:
  void at_system_call() {
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, process_.pid(), sizeof info, &info) <= 0) {
      throw not_permitted{failed("PTRACE_GET_SYSCALL_INFO").what()};
    }
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) entered(info.entry.nr, info.entry.args);
  }

  template <class Number, class Argument>
  void entered(Number number, const Argument* arguments) {
    if (number == SYS_close && static_cast<int>(arguments[0]) == start_marker) {
      counting_ = true;
    } else if (number == SYS_close && static_cast<int>(arguments[0]) == stop_marker) {
      counting_ = false;
    } else if (counting_) {
      ++counted_.counts[static_cast<long>(number)];
    }
  }

  // Throws instead of delivering the signal. The framework's handler would run in the child and go
  // on with the next test there.
  static void refuse_to_go_on(int signal) {
    if (signal == SIGALRM) throw std::runtime_error{"the counted code: it takes too long"};
    for (const int fatal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
      if (signal != fatal) continue;
      throw std::runtime_error{std::string{"the counted code: "} + ::strsignal(signal)};
    }
  }

  system_calls ended(int status) const {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return counted_;
    const std::string why =
        WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : process_.why_it_failed();
    throw std::runtime_error{"the counted code: " + why};
  }

  traced_process& process_;
  system_calls counted_;
  bool counting_ = false;
};

struct named {
  long number;
  std::string_view name;
};

// The system calls that an event loop may make.
constexpr named names[] = {
    {SYS_accept4, "accept4"},
    {SYS_clock_gettime, "clock_gettime"},
    {SYS_close, "close"},
    {SYS_connect, "connect"},
    {SYS_epoll_ctl, "epoll_ctl"},
    {SYS_epoll_pwait, "epoll_pwait"},
    {SYS_epoll_pwait2, "epoll_pwait2"},
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, "epoll_wait"},
#endif
    {SYS_fcntl, "fcntl"},
    {SYS_io_uring_enter, "io_uring_enter"},
    {SYS_madvise, "madvise"},
    {SYS_mmap, "mmap"},
    {SYS_munmap, "munmap"},
#ifdef SYS_poll
    {SYS_poll, "poll"},
#endif
    {SYS_ppoll, "ppoll"},
    {SYS_pselect6, "pselect6"},
    {SYS_read, "read"},
    {SYS_recvfrom, "recvfrom"},
    {SYS_recvmsg, "recvmsg"},
#ifdef SYS_select
    {SYS_select, "select"},
#endif
    {SYS_sendmsg, "sendmsg"},
    {SYS_sendto, "sendto"},
    {SYS_timerfd_settime, "timerfd_settime"},
    {SYS_write, "write"},
};

}  // namespace

int system_calls::total() const {
  return std::accumulate(counts.begin(), counts.end(), 0,
                         [](int sum, const auto& each) { return sum + each.second; });
}

int system_calls::of(long number) const {
  const auto found = counts.find(number);
  return found != counts.end() ? found->second : 0;
}

std::ostream& operator<<(std::ostream& out, const system_calls& counted) {
  const char* between = "";
  for (const auto& each : counted.counts) {
    const auto* found = std::ranges::find(names, each.first, &named::number);
    out << between;
    if (found != std::end(names)) {
      out << found->name;
    } else {
      out << "number " << each.first;
    }
    out << ' ' << each.second;
    between = ", ";
  }
  return out;
}

system_calls count_system_calls(const std::function<void()>& code, std::chrono::seconds at_most) {
  traced_process process{code, at_most};
  begin_tracing(process);
  return counter{process}.run();
}

void start_counting() noexcept {
  ::syscall(SYS_close, start_marker);
}
void stop_counting() noexcept {
  ::syscall(SYS_close, stop_marker);
}

boost::test_tools::assertion_result system_calls_can_be_counted(boost::unit_test::test_unit_id id) {
  using namespace boost::unit_test;
  boost::test_tools::assertion_result answer{true};
  try {
    count_system_calls([] {});
  } catch (const not_permitted& error) {
    const auto name = framework::get(id, TUT_ANY).full_name();
    BOOST_TEST_MESSAGE("skipped: " << name << ": " << error.what());
    answer = false;
    answer.message() << error.what();
  }
  return answer;
}
