// The system calls and context switches of a process are counted, for all its threads and for no
// other process.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bench/machine/kernel_counts.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

// A child process that runs `work` on each call of work(). The destructor kills it.
class worker {
 public:
  explicit worker(const std::function<void()>& work) {
    BOOST_REQUIRE(pipe(go_) == 0 && pipe(done_) == 0);
    pid_ = fork();
    if (pid_ == 0) serve(work);
  }
  ~worker() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    for (int end : {go_[0], go_[1], done_[0], done_[1]}) close(end);
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  pid_t pid() const { return pid_; }

  void work() {
    char token = 0;
    BOOST_REQUIRE(write(go_[1], &token, 1) == 1);
    BOOST_REQUIRE(read(done_[0], &token, 1) == 1);
  }

 private:
  [[noreturn]] void serve(const std::function<void()>& work) {
    for (char token = 0; read(go_[0], &token, 1) == 1;) {
      work();
      if (write(done_[1], &token, 1) != 1) break;
    }
    _exit(0);
  }

  pid_t pid_ = 0;
  int go_[2]{};
  int done_[2]{};
};

void ask_the_kernel(int times) {
  for (int i = 0; i < times; ++i) getppid();
}

// A precondition: skips the test case and prints the reason.
boost::test_tools::assertion_result permitted(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result yes{true};
  const auto why = bench::kernel_counts{{getpid()}}.reason();
  if (why.empty()) return yes;
  boost::test_tools::assertion_result no{false};
  no.message() << why;
  return no;
}

// A thread of a sanitizer may make some system calls.
constexpr std::int64_t others = 200;

}  // namespace

BOOST_AUTO_TEST_CASE(every_system_call_of_a_process_is_counted_and_no_other,
                     *boost::unit_test::precondition(permitted)) {
  worker watched{[] { ask_the_kernel(10'000); }};
  worker unwatched{[] { ask_the_kernel(10'000); }};
  watched.work();  // not counted
  const bench::kernel_counts counts{{watched.pid()}};
  watched.work();
  unwatched.work();
  const auto counted = counts.system_calls();
  BOOST_TEST(counted.value_or(0) >= 10'000);
  BOOST_TEST(counted.value_or(0) <= 10'000 + others);
}

BOOST_AUTO_TEST_CASE(threads_that_are_there_and_threads_to_come_count,
                     *boost::unit_test::precondition(permitted)) {
  worker watched{[] {
    std::thread one{[] { ask_the_kernel(5'000); }};
    std::thread other{[] { ask_the_kernel(5'000); }};
    one.join();
    other.join();
  }};
  const bench::kernel_counts counts{{watched.pid()}};
  watched.work();
  const auto counted = counts.system_calls();
  BOOST_TEST(counted.value_or(0) >= 10'000);
  BOOST_TEST(counted.value_or(0) <= 10'000 + 2 * others);
}

BOOST_AUTO_TEST_CASE(a_process_that_waits_switches_context_each_time) {
  worker watched{[] {
    for (int i = 0; i < 50; ++i) std::this_thread::sleep_for(1ms);
  }};
  const bench::kernel_counts counts{{watched.pid()}};
  watched.work();
  BOOST_TEST(counts.context_switches() >= 50);
}

BOOST_AUTO_TEST_CASE(a_process_that_is_gone_counts_for_nothing) {
  const bench::kernel_counts counts{{0x7FFFFFFF}};
  BOOST_TEST(counts.context_switches() == 0);
  BOOST_TEST(counts.system_calls().value_or(0) == 0);
}
