#include <fibers/generator.hpp>
#include <fibers/memory/stack.hpp>

#include <tests/child_process.hpp>
#include <tests/fibers/fiber_worlds.hpp>
#include <tests/fibers/forbidden.hpp>
#include <tests/texts.hpp>

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
#include <memory>
#include <optional>
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

void ignore_it_and_run_past_the_end() {
  std::signal(SIGSEGV, SIG_IGN);
  const stack unconcerned;
  std::raise(SIGSEGV);
  say("survived\n");
  run_past_the_end();
}

// Without siginfo_t.
void ask_a_plain_handler() {
  struct sigaction action {};
  action.sa_handler = [](int) { say("asked\n"); };
  action.sa_flags = SA_ONSTACK;
  ::sigaction(SIGSEGV, &action, nullptr);
  const stack unconcerned;
  std::raise(SIGSEGV);
  std::raise(SIGSEGV);
}

void ask_a_handler_that_serves_once() {
  struct sigaction action {};
  action.sa_handler = [](int) { say("asked\n"); };
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
  ::sigaction(SIGSEGV, &action, nullptr);
  const stack unconcerned;
  std::raise(SIGSEGV);
  say("survived\n");
  run_past_the_end();
}

void write_where_a_page_of_a_stack_was_taken_away() {
  stack narrow{64 * 1024};
  narrow.set_owner("the test");
  ::mprotect(narrow.bottom() + 8192, 4096, PROT_NONE);
  touch(narrow.bottom() + 8192);
}

// The table of the handler has room for 4096.
void run_past_the_end_in_the_slab_that_is_one_too_many() {
  constexpr std::size_t known = 4096;
  std::vector<std::unique_ptr<stack_pool>> pools;
  for (std::size_t i = 0; i <= known; ++i) {
    pools.push_back(std::make_unique<stack_pool>(fibers::smallest_stack_size));
    auto* const top = pools.back()->take();
    if (i == known) touch(top - fibers::smallest_stack_size);
  }
}

// --- roles in which the system refuses ----------------------------------------------------------

constexpr auto guard_install = 102;  // MADV_GUARD_INSTALL

void say_why_there_is_no_stack() {
  try {
    const stack one{100'000};
    say("there is one\n");
  } catch (const boost::system::system_error& error) {
    say(error.what() + std::string{"\n"});
  }
}

void run_past_the_end_where_guards_are_protected_pages() {
  forbid(SYS_madvise, EINVAL, 2, guard_install);
  say(fibers::best_guard() == guard_kind::protection ? "protection\n" : "lightweight\n");
  forbid(SYS_openat, EACCES);  // also the file with the limit of mappings
  run_past_the_end();
}

void make_a_stack_where_no_page_can_be_protected() {
  stack_pool pool{100'000, guard_kind::protection};
  forbid(SYS_mprotect, ENOMEM);
  try {
    pool.take();
  } catch (const boost::system::system_error& error) {
    say(error.what() + std::string{"\n"});
  }
}

void make_a_stack_where_nothing_can_be_mapped() {
  forbid(SYS_mmap, EPERM);
  say(fibers::best_guard() == guard_kind::protection ? "protection\n" : "lightweight\n");
  say_why_there_is_no_stack();
}

// --- a role that ends while a static object has a stack ------------------------------------------

std::optional<stack> kept_to_the_end;

void keep_a_stack_to_the_end() {
  kept_to_the_end.emplace(100'000);
  say("the end\n");
}

// After the library's report, a sanitizer ends the process by an exit code instead of the signal.
bool died_by_overflow(const ended_process& ended) {
  return ended.signal == SIGSEGV || (sanitized && ended.exit_code > 0);
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
          {"ignoring", ignore_it_and_run_past_the_end},
          {"plain handler", ask_a_plain_handler},
          {"serving once", ask_a_handler_that_serves_once},
          {"page taken away", write_where_a_page_of_a_stack_was_taken_away},
          {"one slab too many", run_past_the_end_in_the_slab_that_is_one_too_many},
          {"protected pages", run_past_the_end_where_guards_are_protected_pages},
          {"no protection", make_a_stack_where_no_page_can_be_protected},
          {"no mapping", make_a_stack_where_nothing_can_be_mapped},
          {"kept to the end", keep_a_stack_to_the_end},
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

BOOST_AUTO_TEST_CASE(a_pool_takes_over_no_stacks_with_guards_of_another_kind) {
  constexpr std::size_t size = 108 * 1024;
  std::byte* left = nullptr;
  {
    stack_pool protects{size, guard_kind::protection};
    left = protects.take();
    protects.give_back(left);
  }
  stack_pool other{size, guard_kind::lightweight};
  auto* const fresh = other.take();
  BOOST_TEST((fresh != left));
  other.give_back(fresh);
  stack_pool same{size, guard_kind::protection};
  BOOST_TEST((same.take() == left));
  same.give_back(left);
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

BOOST_AUTO_TEST_CASE(where_sigsegv_is_ignored_one_that_is_sent_is_and_an_overflow_still_kills) {
  const auto ended = run_role("ignoring");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(contains(ended.errors, "survived\nstack overflow: the test"));
}

BOOST_AUTO_TEST_CASE(an_earlier_handler_without_siginfo_gets_each_sigsegv) {
  const auto ended = run_role("plain handler");
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(ended.errors == "asked\nasked\n");
}

BOOST_AUTO_TEST_CASE(an_earlier_handler_that_serves_once_is_asked_once_and_then_the_default_holds) {
  const auto ended = run_role("serving once");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(ended.errors == "asked\nsurvived\n");
}

BOOST_AUTO_TEST_CASE(a_fault_inside_of_a_stack_is_not_called_an_overflow) {
  const auto ended = run_role("page taken away");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(!contains(ended.errors, "ran past the end"));
}

BOOST_AUTO_TEST_CASE(a_stack_beyond_those_that_the_handler_knows_has_its_guard) {
  const auto ended = run_role("one slab too many");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(!contains(ended.errors, "ran past the end"));
}

// --- where the system refuses ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_kernel_without_lightweight_guards_gets_protected_ones,
                     *boost::unit_test::enable_if<!sanitized>()) {
  const auto ended = run_role("protected pages");
  BOOST_TEST(died_by_overflow(ended));
  BOOST_TEST(contains(ended.errors, "protection\nstack overflow: the test"));
}

BOOST_AUTO_TEST_CASE(where_no_page_can_be_protected_the_error_names_the_limit,
                     *boost::unit_test::enable_if<!sanitized>()) {
  const auto ended = run_role("no protection");
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(contains(ended.errors, "vm.max_map_count limits how many can be guarded"));
}

BOOST_AUTO_TEST_CASE(where_nothing_can_be_mapped_the_error_says_what_the_system_said,
                     *boost::unit_test::enable_if<!sanitized>()) {
  const auto ended = run_role("no mapping");
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(contains(ended.errors, "protection\n"));
  BOOST_TEST(contains(ended.errors, "Operation not permitted"));
}

// --- the end of the program --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_static_object_may_give_its_stack_back_after_the_pools_are_gone) {
  const auto ended = run_role("kept to the end");
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(ended.errors == "the end\n");
}
