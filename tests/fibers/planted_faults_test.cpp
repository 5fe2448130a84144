// The sanitizers work in fibers: they report the faults that are planted here and end the process.
#include <fibers/memory/sanitizer.hpp>
#include <fibers/scheduler.hpp>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <latch>
#include <memory>
#include <string>
#include <thread>

#include <tests/child_process.hpp>

using namespace std::chrono_literals;
namespace this_fiber = fibers::this_fiber;

namespace {

// --- roles -----------------------------------------------------------------------------------

// The fiber yields before the fault, so that its stack was left and entered again.
template <class Fault>
void in_a_fiber(Fault fault) {
  fibers::scheduler scheduler;
  scheduler.spawn("other", [] {
    for (int i = 0; i < 10; ++i) this_fiber::yield();
  });
  scheduler.spawn("faulty", [&] {
    this_fiber::yield();
    fault();
    this_fiber::sleep_for(1ms);
  });
  scheduler.run();
}

// Volatile hides the fault from the compiler, which would warn, and from UBSan, which would report
// it before ASan.
using hidden_pointer = volatile char* volatile;

void heap_overflow() {
  in_a_fiber([] {
    const auto bytes = std::make_unique<char[]>(16);
    const hidden_pointer end = bytes.get() + 16;
    *end = 1;
  });
}

void stack_overflow() {
  in_a_fiber([] {
    char bytes[16];
    const hidden_pointer begin = bytes;
    begin[16] = 1;
  });
}

void use_after_free() {
  in_a_fiber([] {
    auto owner = std::make_unique<char>();
    const hidden_pointer dangling = owner.get();
    owner.reset();
    this_fiber::yield();
    *dangling = 1;
  });
}

void race() {
  int shared = 0;
  std::latch both{2};
  const auto count = [&] {
    in_a_fiber([&] {
      both.arrive_and_wait();
      for (int i = 0; i < 1000; ++i) ++shared;
    });
  };
  const std::jthread first{count}, second{count};
}

void no_fault() {
  in_a_fiber([] {});
}

// --- the process that watches the roles ------------------------------------------------------

// Replaces the options of this run, so that the first report ends the process with code 66.
ended_process fault(const char* name) {
  ::setenv("ASAN_OPTIONS", "abort_on_error=0:exitcode=66:detect_leaks=0", 1);
  ::setenv("TSAN_OPTIONS", "halt_on_error=1:exitcode=66", 1);
  return run_role(name);
}

void dies_with(const char* name, const std::string& report) {
  const auto ended = fault(name);
  BOOST_TEST(ended.exit_code == 66);
  BOOST_TEST_INFO(ended.errors);
  BOOST_TEST((ended.errors.find(report) != std::string::npos));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(planted_faults)

BOOST_AUTO_TEST_CASE(a_fiber_without_a_fault_is_not_reported) {
  const auto ended = fault("no fault");
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(ended.errors == "");
}

BOOST_AUTO_TEST_SUITE(address, *boost::unit_test::enable_if<fibers::sanitizer::address>())

BOOST_AUTO_TEST_CASE(a_heap_overflow_in_a_fiber_is_reported) {
  dies_with("heap overflow", "AddressSanitizer: heap-buffer-overflow");
}

BOOST_AUTO_TEST_CASE(a_stack_overflow_in_a_fiber_is_reported) {
  dies_with("stack overflow", "AddressSanitizer: stack-buffer-overflow");
}

BOOST_AUTO_TEST_CASE(a_use_after_free_in_a_fiber_is_reported) {
  dies_with("use after free", "AddressSanitizer: heap-use-after-free");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(thread, *boost::unit_test::enable_if<fibers::sanitizer::thread>())

BOOST_AUTO_TEST_CASE(a_race_between_fibers_of_two_threads_is_reported) {
  dies_with("race", "ThreadSanitizer: data race");
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE_END()

int main(int argc, char** argv) {
  return run_tests_or_role({{"heap overflow", heap_overflow},
                            {"stack overflow", stack_overflow},
                            {"use after free", use_after_free},
                            {"race", race},
                            {"no fault", no_fault}},
                           argc, argv);
}
