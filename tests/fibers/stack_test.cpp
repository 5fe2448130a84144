#include <fibers/generator.hpp>
#include <fibers/stack.hpp>

#include <tests/child_process.hpp>
#include <tests/fibers/fiber_worlds.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

using fibers::guard_kind;
using fibers::stack;
using fibers::stack_pool;

namespace {

std::size_t most_mappings() {
  std::size_t limit = 0;
  std::ifstream{"/proc/sys/vm/max_map_count"} >> limit;
  return limit;
}

// --- roles that die by SIGSEGV ----------------------------------------------------------------

[[gnu::noinline]] void touch(std::byte* where) {
  *const_cast<volatile std::byte*>(where) = std::byte{1};
}

void run_past_the_end() {
  stack narrow{64 * 1024};
  narrow.set_owner("the test");
  touch(narrow.bottom() - 1);
}

void run_past_the_end_without_a_name() {
  stack nameless;
  touch(nameless.bottom() - 1);
}

void run_past_the_end_by_nearly_a_guard() {
  stack narrow{16 * 1024};
  narrow.set_owner("a large frame");
  touch(narrow.top() - 16 * 1024 - fibers::guard_size + 4096);
}

void run_past_the_end_of_a_protected_stack() {
  stack_pool pool{32 * 1024, guard_kind::protection};
  stack protected_one{pool};
  protected_one.set_owner("the test");
  touch(protected_one.bottom() - 1);
}

void run_past_the_end_on_another_thread() {
  std::thread{run_past_the_end}.join();
}

void write_where_nothing_is() {
  stack unconcerned;
  void* nothing = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  touch(static_cast<std::byte*>(nothing));
}

void say(std::string_view text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

void survive_a_signal_that_is_sent() {
  const stack unconcerned;
  std::raise(SIGSEGV);
  say("survived\n");
}

// Handlers that a program installs before it makes its first stack.

void install(void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGSEGV, &action, nullptr);
}

void tell_whether_it_was_sent(int, siginfo_t* info, void*) {
  const bool sent = info->si_code <= 0;
  say(sent ? "it was sent\n" : "it was a fault\n");
  if (!sent) ::_exit(3);
}

void ask_the_earlier_handler() {
  install(tell_whether_it_was_sent);
  const stack unconcerned;
  std::raise(SIGSEGV);
  std::raise(SIGSEGV);
  run_past_the_end();
}

void* page_without_access;

void give_access(int, siginfo_t* info, void*) {
  if (info->si_addr != page_without_access) ::_exit(3);
  ::mprotect(page_without_access, 4096, PROT_READ | PROT_WRITE);
  say("mended\n");
}

void let_the_earlier_handler_mend_a_fault() {
  page_without_access = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  install(give_access);
  const stack unconcerned;
  touch(static_cast<std::byte*>(page_without_access));
  run_past_the_end();
}

// After the library's report, a sanitizer ends the process by an exit code instead of the signal.
bool died_by_overflow(const ended_process& ended) {
  return ended.signal == SIGSEGV || (sanitized && ended.exit_code > 0);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

int main(int argc, char** argv) {
  return run_tests_or_role(
      {
          {"past the end", run_past_the_end},
          {"nameless", run_past_the_end_without_a_name},
          {"large frame", run_past_the_end_by_nearly_a_guard},
          {"protected", run_past_the_end_of_a_protected_stack},
          {"on a thread", run_past_the_end_on_another_thread},
          {"elsewhere", write_where_nothing_is},
          {"sent", survive_a_signal_that_is_sent},
          {"earlier handler", ask_the_earlier_handler},
          {"mending handler", let_the_earlier_handler_mend_a_fault},
      },
      argc, argv);
}

// --- memory ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_stack_is_usable_from_bottom_to_top) {
  stack memory{100'000};
  BOOST_TEST(memory.size() >= 100'000u);
  BOOST_TEST((memory.bottom() + memory.size() == memory.top()));
  std::fill(memory.bottom(), memory.top(), std::byte{0xA5});
  BOOST_TEST(std::count(memory.bottom(), memory.top(), std::byte{0xA5}) ==
             static_cast<std::ptrdiff_t>(memory.size()));
}

BOOST_AUTO_TEST_CASE(a_small_wish_gets_the_smallest_stack) {
  stack small{1};
  BOOST_TEST(small.size() > fibers::smallest_stack_size - 4096);
  BOOST_TEST(small.size() < fibers::smallest_stack_size);
}

BOOST_AUTO_TEST_CASE(a_size_beyond_all_memory_is_refused) {
  constexpr auto most = std::numeric_limits<std::size_t>::max();
  const auto too_large = [](const boost::system::system_error& error) {
    return error.code() == std::errc::not_enough_memory;
  };
  for (const std::size_t size : {most, most - 4095, most - 2 * fibers::guard_size, most / 2,
                                 (std::size_t{1} << 60) + 1, std::size_t{1} << 47}) {
    BOOST_TEST_CONTEXT(size) {
      BOOST_CHECK_EXCEPTION(stack{size}, boost::system::system_error, too_large);
      const auto generate = [&] {
        const fibers::generator<int> one{[](auto& yield) { yield(1); }, size};
      };
      BOOST_CHECK_EXCEPTION(generate(), boost::system::system_error, too_large);
      fibers::task_queue tasks{size};
      BOOST_CHECK_EXCEPTION(tasks.spawn("too large", [] {}), boost::system::system_error,
                            too_large);
    }
  }
  BOOST_TEST(stack{}.size() > 0u);
}

BOOST_AUTO_TEST_CASE(the_top_is_aligned_as_the_abi_asks) {
  stack memory;
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(memory.top()) % 16 == 0u);
}

BOOST_AUTO_TEST_CASE(stacks_do_not_overlap_and_have_a_guard_between_them) {
  std::vector<stack> all(100);
  std::ranges::sort(all, std::less<>{}, &stack::bottom);
  for (std::size_t i = 1; i < all.size(); ++i) {
    BOOST_TEST(all[i].bottom() - all[i - 1].top() >=
               static_cast<std::ptrdiff_t>(fibers::guard_size));
  }
}

BOOST_AUTO_TEST_CASE(a_stack_that_comes_back_is_the_next_to_go_out) {
  const auto top_of_fresh = [] { return stack{}.top(); };
  auto* first = top_of_fresh();
  BOOST_TEST((top_of_fresh() == first));
  stack other;
  BOOST_TEST((other.top() == first));
}

BOOST_AUTO_TEST_CASE(a_moved_stack_is_given_back_once) {
  std::byte* top = nullptr;
  {
    stack first;
    top = first.top();
    stack second{std::move(first)};
    stack third;
    third = std::move(second);
    BOOST_TEST((third.top() == top));
  }
  std::set<std::byte*> tops;
  std::vector<stack> all(50);
  for (const auto& each : all) tops.insert(each.top());
  BOOST_TEST(tops.size() == all.size());
}

BOOST_AUTO_TEST_CASE(a_stack_may_come_back_on_another_thread) {
  constexpr std::size_t size = 76 * 1024;
  stack here{size};
  auto* top = here.top();
  std::byte* top_there = nullptr;
  std::thread{[&] {
    { stack dropped{std::move(here)}; }
    stack again{size};
    top_there = again.top();
  }}.join();
  BOOST_TEST((top_there == top));
}

BOOST_AUTO_TEST_CASE(the_stacks_of_an_ended_thread_serve_others) {
  constexpr std::size_t size = 84 * 1024;
  std::byte* top_there = nullptr;
  std::thread{[&] { top_there = stack{size}.top(); }}.join();
  stack here{size};
  BOOST_TEST((here.top() == top_there));
}

BOOST_AUTO_TEST_CASE(stacks_made_on_one_thread_and_dropped_on_another_go_round) {
  constexpr std::size_t size = 60 * 1024;
  constexpr std::size_t at_once = 500;
  constexpr int rounds = 20;
  std::vector<stack> on_the_way;
  std::binary_semaphore filled{0};
  std::binary_semaphore emptied{0};
  std::jthread dropper{[&] {
    for (int round = 0; round < rounds; ++round) {
      filled.acquire();
      on_the_way.clear();
      emptied.release();
    }
  }};
  std::set<std::byte*> seen;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < at_once; ++i) {
      on_the_way.emplace_back(size);
      seen.insert(on_the_way.back().top());
    }
    filled.release();
    emptied.acquire();
  }
  BOOST_TEST(seen.size() < rounds * at_once / 2);
}

BOOST_AUTO_TEST_CASE(where_protected_stacks_end_the_error_names_the_limit_and_all_goes_on) {
  stack_pool pool{fibers::smallest_stack_size, guard_kind::protection};
  std::vector<std::byte*> tops;
  try {
    while (tops.size() <= most_mappings()) tops.push_back(pool.take());
    BOOST_ERROR("every guard takes two mappings");
  } catch (const boost::system::system_error& error) {
    BOOST_TEST(contains(error.what(), "vm.max_map_count"));
    BOOST_TEST((error.code() == std::errc::not_enough_memory));
  }
  BOOST_TEST(tops.size() > most_mappings() / 3);
  std::thread{[] {
    if (fibers::best_guard() == guard_kind::lightweight) stack with_another_mapping{92 * 1024};
  }}.join();
  for (auto* top : tops) pool.give_back(top);
  BOOST_TEST((pool.take() == tops.back()));
  pool.give_back(tops.back());
}

// --- overflow --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(who_runs_past_the_end_dies_with_name_and_size) {
  const auto ended = run_role("past the end");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(
      contains(ended.errors, "stack overflow: the test ran past the end of its 64 KiB stack\n"));
}

BOOST_AUTO_TEST_CASE(who_runs_past_the_end_without_a_name_dies_as_somebody) {
  const auto ended = run_role("nameless");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(contains(ended.errors, "stack overflow: somebody ran past the end"));
}

BOOST_AUTO_TEST_CASE(a_guard_is_as_wide_as_it_says) {
  const auto ended = run_role("large frame");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(contains(ended.errors, "stack overflow: a large frame"));
}

BOOST_AUTO_TEST_CASE(a_protected_stack_ends_in_the_same_sentence) {
  const auto ended = run_role("protected");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(
      contains(ended.errors, "stack overflow: the test ran past the end of its 32 KiB stack\n"));
}

BOOST_AUTO_TEST_CASE(an_overflow_on_another_thread_is_named_too) {
  const auto ended = run_role("on a thread");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(contains(ended.errors, "stack overflow: the test"));
}

BOOST_AUTO_TEST_CASE(a_fault_elsewhere_is_not_called_an_overflow) {
  const auto ended = run_role("elsewhere");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(!contains(ended.errors, "ran past the end"));
}

// --- signals that are no overflow ------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_sigsegv_that_is_sent_kills_at_once) {
  const auto ended = run_role("sent");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(!contains(ended.errors, "survived"));
  BOOST_TEST(!contains(ended.errors, "ran past the end"));
}

BOOST_AUTO_TEST_CASE(an_earlier_handler_gets_each_sigsegv_and_overflows_are_still_named) {
  const auto ended = run_role("earlier handler");
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(contains(ended.errors, "it was sent\nit was sent\nstack overflow: the test"));
  BOOST_TEST(contains(ended.errors, "KiB stack\nit was a fault\n"));
}

BOOST_AUTO_TEST_CASE(an_earlier_handler_may_mend_a_fault_and_overflows_are_still_named) {
  const auto ended = run_role("mending handler");
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(contains(ended.errors, "mended\nstack overflow: the test"));
}
