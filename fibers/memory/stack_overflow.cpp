// Names on standard error the stack that overflowed, before the process dies.
#include <fibers/memory/stack.hpp>

#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <iterator>
#include <memory>
#include <mutex>
#include <string_view>

namespace fibers {
namespace {

// Stacks of one size that were cut from one mapping.
struct slab {
  std::byte* begin;
  std::byte* end;
  std::size_t slot;  // bytes of a stack and the guard below it
};

// A signal handler reads this table, so it uses no lock and never reallocates. A slab beyond the
// table still has its guards, but an overflow there prints no report.
std::array<slab, 4096> slabs;
std::atomic<std::size_t> slab_count{0};
std::mutex slab_mutex;  // for writers only

// The top of the stack in whose guard `address` lies, or null.
std::byte* stack_overflowed_at(const std::byte* address) {
  for (std::size_t i = 0, n = slab_count.load(std::memory_order_acquire); i < n; ++i) {
    const auto& s = slabs[i];
    if (address < s.begin || address >= s.end) continue;
    const auto offset = static_cast<std::size_t>(address - s.begin);
    if (offset % s.slot >= guard_size) return nullptr;
    return s.begin + (offset / s.slot + 1) * s.slot - sizeof(stack_label);
  }
  return nullptr;
}

struct sigaction previous_handler;

iovec part_of(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

// Async-signal-safe: calls only writev(2).
void report_overflow(std::byte* top) {
  const auto& owner = stack_label::of(top);
  std::array<char, 24> digits{};
  auto* digit = digits.data() + digits.size();
  for (auto n = owner.stack_size / 1024; n > 0; n /= 10) *--digit = static_cast<char>('0' + n % 10);
  const auto digits_length = static_cast<std::size_t>(digits.data() + digits.size() - digit);
  const bool named = !owner.name.empty();
  const iovec parts[] = {
      part_of("stack overflow: "),     part_of(owner.kind),
      part_of(named ? " \"" : ""),     part_of(owner.name),
      part_of(named ? "\"" : ""),      part_of(" ran past the end of its "),
      part_of({digit, digits_length}), part_of(" KiB stack\n"),
  };
  [[maybe_unused]] const auto written = ::writev(STDERR_FILENO, parts, std::size(parts));
}

// Does what would have happened without our handler. A function that handled SIGSEGV before us is
// called, and ours stays installed: the function may mend the fault and return. In the other cases
// the earlier action takes the place of ours. The faulting instruction then runs again and meets
// it. A signal that was sent does not come again by itself, so it is sent again: it is delivered
// when our handler returns.
void pass_on(int number, siginfo_t* info, void* context, bool sent) {
  const auto& before = previous_handler;
  const bool is_function = before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN;
  const auto flags = static_cast<unsigned>(before.sa_flags);
  if (is_function && (flags & SA_RESETHAND) == 0) {
    if ((flags & SA_SIGINFO) != 0) return before.sa_sigaction(number, info, context);
    return before.sa_handler(number);
  }
  if (sent && before.sa_handler == SIG_IGN) return;
  ::sigaction(SIGSEGV, &before, nullptr);
  if (sent) ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), ::gettid(), number, info);
}

// si_code is positive for a fault, and zero or less if a process sent the signal.
void on_fault(int number, siginfo_t* info, void* context) {
  const bool sent = info->si_code <= 0;
  auto* top = sent ? nullptr : stack_overflowed_at(static_cast<std::byte*>(info->si_addr));
  if (top != nullptr) report_overflow(top);
  pass_on(number, info, context, sent);
}

void install_overflow_handler() {
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGSEGV, &action, &previous_handler);
}

// The stack for the signal handler, because a fiber that overflows has none left. One per thread.
class alternate_stack {
 public:
  alternate_stack() {
    stack_t current{};
    ::sigaltstack(nullptr, &current);
    if ((current.ss_flags & SS_DISABLE) == 0) return;  // the program has its own
    memory_ = std::make_unique<std::byte[]>(size);
    stack_t ours{};
    ours.ss_sp = memory_.get();
    ours.ss_size = size;
    ::sigaltstack(&ours, nullptr);
  }
  alternate_stack(const alternate_stack&) = delete;
  alternate_stack& operator=(const alternate_stack&) = delete;
  ~alternate_stack() {
    if (!memory_) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }

 private:
  static constexpr std::size_t size = std::size_t{64} * 1024;
  std::unique_ptr<std::byte[]> memory_;
};

}  // namespace

void stack_pool::name_overflows_in(std::byte* begin, std::byte* end, std::size_t slot) {
  std::lock_guard lock{slab_mutex};
  const auto index = slab_count.load(std::memory_order_relaxed);
  if (index == slabs.size()) return;
  slabs[index] = {begin, end, slot};
  slab_count.store(index + 1, std::memory_order_release);
}

void stack_pool::prepare_thread_for_overflow() {
  static std::once_flag once;
  std::call_once(once, install_overflow_handler);
  thread_local alternate_stack here;
}

}  // namespace fibers
