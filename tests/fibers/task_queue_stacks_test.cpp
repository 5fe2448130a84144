// The stacks of fibers: what a hundred thousand of them cost, and what an overflow does.
#include <fibers/generator.hpp>
#include <fibers/task_queue.hpp>

#include <tests/child_process.hpp>
#include <tests/fibers/fiber_worlds.hpp>
#include <tests/fibers/resident_pages.hpp>
#include <tests/texts.hpp>

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <string>
#include <vector>

using fibers::fiber;
using fibers::task_queue;

// --- counting calls that change memory mappings -------------------------------------------------

namespace {
int mapping_calls = 0;
}

// With --wrap the linker makes every call of mmap() a call of __wrap_mmap(). __real_mmap() is the
// original.
extern "C" {
void* __real_mmap(void*, std::size_t, int, int, int, off_t);
int __real_munmap(void*, std::size_t);
int __real_mprotect(void*, std::size_t, int);
int __real_madvise(void*, std::size_t, int);
long __real_syscall(long, ...);

void* __wrap_mmap(void* at, std::size_t size, int protection, int flags, int file, off_t offset) {
  ++mapping_calls;
  return __real_mmap(at, size, protection, flags, file, offset);
}
int __wrap_munmap(void* at, std::size_t size) {
  ++mapping_calls;
  return __real_munmap(at, size);
}
int __wrap_mprotect(void* at, std::size_t size, int protection) {
  ++mapping_calls;
  return __real_mprotect(at, size, protection);
}
int __wrap_madvise(void* at, std::size_t size, int advice) {
  ++mapping_calls;
  return __real_madvise(at, size, advice);
}
long __wrap_syscall(long number, ...) {
  ++mapping_calls;
  std::va_list rest;
  va_start(rest, number);
  std::array<long, 6> arguments;
  for (auto& argument : arguments) argument = va_arg(rest, long);
  va_end(rest);
  return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                        arguments[4], arguments[5]);
}
}

namespace {

// Fewer under a sanitizer, which needs pages and system calls of its own for every fiber.
constexpr int hundred_thousand = sanitized ? 5'000 : 100'000;
constexpr int few = hundred_thousand / 100;  // mapping calls for that many fibers

// Without optimisation no call is inlined, so the library needs more stack.
#ifdef __OPTIMIZE__
constexpr bool optimized = true;
#else
constexpr bool optimized = false;
#endif

// Uses up `bytes` of the stack, then calls `called`.
template <class Function>
[[gnu::noinline]] void on_a_stack_fuller_by(std::size_t bytes, Function&& called) {
  auto* taken = static_cast<volatile std::byte*>(__builtin_alloca(bytes));
  taken[0] = std::byte{1};
  called();
}

// --- roles that overflow their stack ------------------------------------------------------------

template <std::size_t FrameSize>
[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[FrameSize];
  frame[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : recurse<FrameSize>(depth + 1) + frame[0];
}

void recurse_in_a_fiber() {
  task_queue tasks;
  tasks.spawn("worker 7", [] { recurse<100>(0); });
  run_all(tasks);
}

void recurse_on_a_large_stack() {
  task_queue tasks{1024 * 1024};
  tasks.spawn("worker 8", [] { recurse<1000>(0); });
  run_all(tasks);
}

// Parked fibers fill a part of their stacks with a pattern. A fiber between them overflows.
constexpr std::byte pattern{0xB5};
constexpr std::size_t canary_size = 8 * 1024;
std::array<const std::byte*, 8> canaries;
struct sigaction handler_of_the_library;

void say(std::string_view text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

void look_at_canaries(int signal, siginfo_t* info, void* context) {
  const bool intact = std::ranges::all_of(canaries, [](const std::byte* canary) {
    return std::all_of(canary, canary + canary_size, [](std::byte b) { return b == pattern; });
  });
  say(intact ? "all canaries are intact\n" : "a canary has changed\n");
  handler_of_the_library.sa_sigaction(signal, info, context);
}

bool has_a_neighbour_below(const task_queue& tasks, const fiber& self) {
  bool found = false;
  tasks.for_each([&](const fiber& other) {
    const auto gap = self.memory().bottom() - other.memory().top();
    found = found || (gap > 0 && gap < static_cast<std::ptrdiff_t>(2 * fibers::guard_size));
  });
  return found;
}

template <std::size_t FrameSize>
void recurse_beside_canaries() {
  task_queue tasks;
  const auto park_with_canary = [&](const std::byte*& seen) {
    tasks.spawn("canary", [&] {
      std::array<std::byte, canary_size> canary;
      canary.fill(pattern);
      seen = canary.data();
      tasks.park();
    });
  };
  for (std::size_t i = 0; i < 4; ++i) park_with_canary(canaries[i]);
  tasks.spawn("the one in the middle", [&] {
    tasks.yield();
    if (has_a_neighbour_below(tasks, *tasks.current())) say("a neighbour is near\n");
    recurse<FrameSize>(0);
  });
  for (std::size_t i = 4; i < 8; ++i) park_with_canary(canaries[i]);
  struct sigaction ours {};
  ours.sa_sigaction = look_at_canaries;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGSEGV, &ours, &handler_of_the_library);
  run_all(tasks);
}

// --- roles that run out of memory or lock it ----------------------------------------------------

void park_as_many_as_fit_into_a_gib() {
  const rlimit gib{1U << 30, 1U << 30};
  ::setrlimit(RLIMIT_AS, &gib);
  task_queue tasks;
  try {
    for (;;) tasks.spawn("parked", [&] { tasks.park(); });
  } catch (const boost::system::system_error& error) {
    say(std::to_string(tasks.alive_count()) + " and then: " + error.what() + '\n');
  }
  ::_exit(0);  // frees no memory, which a full address space makes slow
}

void overflow_after_the_memory_was_locked() {
  task_queue tasks;
  tasks.spawn("first", [] {});
  run_all(tasks);
  if (::mlockall(MCL_CURRENT | MCL_FUTURE) != 0) return say("this process may lock no memory\n");
  for (int i = 0; i < 200; ++i) tasks.spawn("parked", [&] { tasks.park(); });
  tasks.spawn("the last", [] { recurse<100>(0); });
  run_all(tasks);
}

// After the library's report, a sanitizer ends the process by an exit code instead of the signal.
bool died_by_overflow(const ended_process& ended) {
  return ended.signal == SIGSEGV || (sanitized && ended.exit_code > 0);
}

}  // namespace

int main(int argc, char** argv) {
  return run_tests_or_role(
      {
          {"recurse", recurse_in_a_fiber},
          {"recurse on a large stack", recurse_on_a_large_stack},
          {"canaries", recurse_beside_canaries<100>},
          {"canaries and large frames", recurse_beside_canaries<64 * 1024>},
          {"as many as fit", park_as_many_as_fit_into_a_gib},
          {"locked memory", overflow_after_the_memory_was_locked},
      },
      argc, argv);
}

BOOST_AUTO_TEST_SUITE(task_queue_stacks)

BOOST_AUTO_TEST_CASE(a_fiber_that_recurses_without_end_dies_with_its_name) {
  const auto ended = run_role("recurse");
  BOOST_TEST(died_by_overflow(ended));
  const auto size = std::to_string(fibers::default_stack_size / 1024);
  BOOST_TEST(contains(ended.errors, "stack overflow: fiber \"worker 7\" ran past the end of its " +
                                        size + " KiB stack\n"));
}

BOOST_AUTO_TEST_CASE(an_overflow_tells_the_size_that_was_asked_for) {
  const auto ended = run_role("recurse on a large stack");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(contains(ended.errors, "fiber \"worker 8\" ran past the end of its 1024 KiB stack\n"));
}

BOOST_AUTO_TEST_CASE(an_overflow_never_reaches_a_neighbour) {
  for (const auto* role : {"canaries", "canaries and large frames"}) {
    BOOST_TEST_CONTEXT(role) {
      const auto ended = run_role(role);
      BOOST_TEST(died_by_overflow(ended));
      BOOST_TEST(contains(ended.errors, "a neighbour is near\n"));
      BOOST_TEST(contains(ended.errors, "all canaries are intact\n"));
      BOOST_TEST(contains(ended.errors, "stack overflow: fiber \"the one in the middle\""));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_fibers_park_or_the_error_names_the_limit) {
  constexpr std::size_t many = hundred_thousand;
  task_queue tasks;
  std::size_t woken = 0;
  try {
    for (std::size_t i = 0; i < many; ++i) {
      tasks.spawn("parked", [&] {
        tasks.park();
        ++woken;
      });
    }
  } catch (const boost::system::system_error& error) {
    BOOST_TEST((fibers::best_guard() == fibers::guard_kind::protection));
    BOOST_TEST(contains(error.what(), "vm.max_map_count"));
  }
  run_all(tasks);
  const auto parked = tasks.alive_count();
  BOOST_TEST((parked == many || fibers::best_guard() == fibers::guard_kind::protection));
  std::vector<fiber*> all;
  tasks.for_each([&](const fiber& each) { all.push_back(const_cast<fiber*>(&each)); });
  for (auto* each : all) tasks.wake(*each);
  run_all(tasks);
  BOOST_TEST(woken == parked);
  BOOST_TEST(!tasks.any_alive());
}

// A gibibyte holds 8,192 stacks of 64 KiB with their guards. The program needs a part of it.
BOOST_AUTO_TEST_CASE(as_many_fibers_park_as_the_address_space_holds,
                     *boost::unit_test::enable_if<!sanitized>()) {
  const auto ended = run_role("as many as fit");
  BOOST_REQUIRE(ended.exit_code == 0);
  BOOST_TEST(std::stoul(ended.errors) >= 7'000u);
  BOOST_TEST(contains(ended.errors, "no more stacks"));
}

// mlockall() refuses lightweight guards on the memory that it locks.
BOOST_AUTO_TEST_CASE(fibers_spawned_after_the_memory_was_locked_have_guards_too,
                     *boost::unit_test::enable_if<!sanitized>()) {
  const auto ended = run_role("locked memory");
  if (contains(ended.errors, "this process may lock no memory")) {
    BOOST_TEST_MESSAGE("skipped: " << ended.errors);
    return;
  }
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(contains(ended.errors, "stack overflow: fiber \"the last\""));
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_short_fibers_make_few_mapping_calls) {
  constexpr std::size_t size = 44 * 1024;  // no other test uses it, so the pool starts empty
  mapping_calls = 0;
  task_queue tasks{size};
  int sum = 0;
  tasks.spawn("joiner", [&] {
    for (int i = 0; i < hundred_thousand; ++i) sum += tasks.spawn("short", [] { return 1; }).join();
  });
  run_all(tasks);
  BOOST_TEST(sum == hundred_thousand);
  BOOST_TEST(mapping_calls > 0);
  BOOST_TEST(mapping_calls < few);
}

BOOST_AUTO_TEST_CASE(fibers_spawned_in_crowds_make_few_mapping_calls_as_well) {
  constexpr int crowd = hundred_thousand / 100;
  mapping_calls = 0;
  task_queue tasks{52 * 1024};
  int ran = 0;
  for (int crowds = 0; crowds < 100; ++crowds) {
    for (int i = 0; i < crowd; ++i) tasks.spawn("short", [&] { ++ran; });
    run_all(tasks);
  }
  BOOST_TEST(ran == hundred_thousand);
  BOOST_TEST(mapping_calls > 0);
  BOOST_TEST(mapping_calls < few);
}

// A pool grows for its first stack, and again when its stacks are used up.
BOOST_AUTO_TEST_CASE(a_fiber_with_two_kib_left_spawns_fibers_and_makes_generators,
                     *boost::unit_test::enable_if<optimized && !sanitized>()) {
  constexpr std::size_t stack_size = 16 * 1024;
  task_queue tasks{stack_size};
  int ran = 0;
  tasks.spawn("nearly full", [&] {
    const auto& mine = tasks.current()->memory();
    std::byte here;
    const auto left = static_cast<std::size_t>(&here - mine.bottom());
    on_a_stack_fuller_by(left - 2 * 1024, [&] {
      for (int i = 0; i < 3000; ++i) tasks.spawn("short", [&] { ++ran; });
    });
    on_a_stack_fuller_by(left - 2 * 1024, [&] {
      fibers::generator<int> first{[](auto& yield) { yield(1); }, 24 * 1024};
    });
  });
  run_all(tasks);
  BOOST_TEST(ran == 3000);
}

BOOST_AUTO_TEST_CASE(a_pool_of_protected_stacks_grows_with_two_kib_left,
                     *boost::unit_test::enable_if<optimized && !sanitized>()) {
  // Makes the first stack of the program outside of a coroutine: the dynamic linker then resolves
  // the functions that are called, which needs more stack than the coroutine below has left.
  fibers::stack_pool first_of_all{20 * 1024, fibers::guard_kind::protection};
  const fibers::stack made_before{first_of_all};
  fibers::stack_pool pool{28 * 1024, fibers::guard_kind::protection};
  bool got_one = false;
  fibers::coroutine nearly_full{[&](fibers::coroutine& self) {
                                  std::byte here;
                                  const auto left =
                                      static_cast<std::size_t>(&here - self.memory().bottom());
                                  on_a_stack_fuller_by(left - 2 * 1024, [&] {
                                    const fibers::stack first{pool};
                                    got_one = true;
                                  });
                                },
                                16 * 1024};
  nearly_full.resume();
  BOOST_TEST(got_one);
}

BOOST_AUTO_TEST_CASE(a_parked_fiber_takes_two_pages_at_most,
                     *boost::unit_test::enable_if<!sanitized>()) {
  task_queue tasks{60 * 1024};
  auto parked = tasks.spawn("parked", [&] { tasks.park(); });
  run_all(tasks);
  const auto pages = resident_pages(parked.record().memory());
  BOOST_TEST(pages >= 1u);
  BOOST_TEST(pages <= 2u);
  parked.cancel();
  run_all(tasks);
}

BOOST_AUTO_TEST_SUITE_END()
