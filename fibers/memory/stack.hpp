// stack: memory for a function to run on, with a guard below it.
//
//     fibers::stack mine;                   // from this thread's pool; its destructor returns it
//     mine.set_owner("fiber", "listener");  // what the report of an overflow prints
//
// Stacks are cut from large slabs. Below each stack lies a guard of guard_size bytes (guard pages).
// Code that runs past the end dies by SIGSEGV, and standard error says whose stack it was. The pool
// hands out the stack that came back last, whose pages are still mapped: the first touch of a page
// costs thousands of times what a reuse costs.
//
// Guards are installed by madvise(MADV_GUARD_INSTALL) (Linux 6.13). It needs no mapping of its own,
// so a million stacks fit in one mapping. Older kernels get mprotect: two mappings per stack. Where
// the mappings end (near 32,000 stacks by default), the error names vm.max_map_count. Memory that
// mlockall() locks gets mprotect on every kernel.
//
// The handler of SIGSEGV that reports an overflow is installed with the first stack. A handler that
// was there before still gets every SIGSEGV, and a SIGSEGV that was sent acts as without ours.
#pragma once

#include <fibers/memory/sanitizer.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

namespace fibers {

enum class guard_kind {
  lightweight,  // madvise(MADV_GUARD_INSTALL)
  protection,   // mprotect
};

// The better guard that this kernel supports. Probed once.
guard_kind best_guard() noexcept;

// Sanitizers put red zones around every variable, so their stack frames are several times larger.
inline constexpr std::size_t default_stack_size =
    std::size_t{sanitizer::address || sanitizer::thread ? 256 : 64} * 1024;
inline constexpr std::size_t guard_size = std::size_t{64} * 1024;
inline constexpr std::size_t smallest_stack_size = std::size_t{16} * 1024;

class stack_pool;

// The last bytes of every stack, above its top. The overflow handler reads them.
struct stack_label {
  std::byte* next_free;
  std::size_t stack_size;
  std::string_view kind;
  std::string_view name;

  static stack_label& of(std::byte* top) noexcept { return *reinterpret_cast<stack_label*>(top); }
};
static_assert(sizeof(stack_label) % 16 == 0, "the ABI aligns stacks to 16 bytes");

class stack {
 public:
  // Takes a stack of `size` bytes from this thread's pool for that size. The size is rounded up to
  // whole pages and to at least smallest_stack_size; it includes the stack_label. Throws
  // boost::system::system_error if the system has no more memory to give, also where no system has
  // that much; the text names the limit.
  // Uses less than 2 KiB of the caller's stack, unless it throws.
  explicit stack(std::size_t size = default_stack_size);
  explicit stack(stack_pool& pool);
  stack(stack&& other) noexcept : top_{std::exchange(other.top_, nullptr)} {}
  stack& operator=(stack&& other) noexcept {
    std::swap(top_, other.top_);
    return *this;
  }
  ~stack() {
    if (top_ != nullptr) give_back();
  }

  // The usable bytes are [bottom(), top()); a stack grows down from its top.
  std::byte* bottom() const noexcept { return top_ - size(); }
  std::byte* top() const noexcept { return top_; }
  std::size_t size() const noexcept {
    return stack_label::of(top_).stack_size - sizeof(stack_label);
  }

  // Sets what the report of an overflow prints: the kind, and the name in quotes if there is one.
  // The characters must live as long as the stack is in use.
  void set_owner(std::string_view kind, std::string_view name = {}) noexcept {
    stack_label::of(top_).kind = kind;
    stack_label::of(top_).name = name;
  }

 private:
  void give_back() noexcept;

  std::byte* top_;
};

// All free stacks of one size. A pool belongs to one thread. A stack may return to another thread's
// pool of the same size; a pool that has too many passes them on to other threads. The process
// keeps the memory for reuse until it ends.
class stack_pool {
 public:
  explicit stack_pool(std::size_t stack_size, guard_kind guard = best_guard());
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;
  ~stack_pool();

  std::byte* take();  // the top of a free stack; throws boost::system::system_error
  void give_back(std::byte* top) noexcept;

  std::size_t stack_size() const noexcept { return stack_size_; }

 private:
  friend class stack;

  // This thread's pool for stacks of `stack_size` bytes. Makes it if there is none.
  static stack_pool& of_this_thread(std::size_t stack_size);
  static stack_pool& find_or_make(std::size_t stack_size);

  // Both are in stack_overflow.cpp. The handler of SIGSEGV runs on an alternate stack of the
  // thread, so each thread needs one before it uses a stack.
  static void prepare_thread_for_overflow();
  static void name_overflows_in(std::byte* begin, std::byte* end, std::size_t slot);

  void grow();
  void put_aside() noexcept;
  bool adopt_orphans();  // takes a group that another thread left; false: there is none
  std::byte* prepare(std::byte* slot) const;  // writes the label; returns the stack's top

  std::size_t stack_size_;
  guard_kind guard_;
  std::byte* free_ = nullptr;   // the tops of free stacks, linked through their labels
  std::size_t free_count_ = 0;  // length of the list free_
  std::size_t full_list_;       // 1 under Valgrind, so that put_aside() sees each stack
  // A second, full list (hysteresis): a pool whose list is full, or empty, does not pass stacks on
  // and take them back in turn.
  std::byte* aside_ = nullptr;
  std::byte* fresh_ = nullptr;  // stacks of the newest slab that were never used
  std::byte* fresh_end_ = nullptr;
  std::size_t next_slab_ = 16;  // stacks in the next slab; doubles
};

}  // namespace fibers
