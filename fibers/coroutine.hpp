// coroutine: a function with a stack of its own, which can stop in the middle.
//
//     coroutine greet{[](coroutine& self) { puts("hello"); self.suspend(); puts("again"); }};
//     greet.resume();   // prints "hello"
//     greet.resume();   // prints "again"; greet.done() is now true
//
// suspend() is a member function, so a fiber can park from inside a generator that it iterates.
// suspend() stops the stack that is running and returns to the code that resumed the coroutine it
// is called on.
//
// Any thread may resume a suspended coroutine, with one exception: if it was suspended while it
// waited for another coroutine, which it had resumed, only the same thread may. An assertion guards
// this.
//
// This is the only file that names Boost.Context. Boost provides the jump itself, which swaps
// registers and the stack pointer. Two more things belong to a stack and are switched here: the
// exceptions that are being handled (the C++ runtime keeps them per thread), and what the
// sanitizers know.
#pragma once

#include <fibers/memory/sanitizer.hpp>
#include <fibers/memory/stack.hpp>

#include <boost/context/detail/fcontext.hpp>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fibers {

// The exception that unwinds a stack before its end: of a coroutine that is destroyed while
// suspended, or of a cancelled fiber. It is no std::exception, so that handlers of errors let it
// pass. If a `catch (...)` swallows it, the next call that could suspend throws it again. Code that
// swallows it for ever never ends: standard error names such a fiber, and the others run on. A
// coroutine that does so while it is destroyed ends the program, because its destroyer waits.
class cancelled {};

// The head of the C++ runtime's per-thread exception record (Itanium C++ ABI, section 2.2.2).
struct exception_state {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

// The calling thread's own record, not a copy. Never inlined: a compiler may keep the address of a
// thread_local across a switch, and after the switch another thread may run the code.
exception_state& live_exceptions() noexcept;

// Writes a line to standard error: the mistake, the name in quotation marks, and the rest.
void complain(std::string_view mistake, std::string_view name, std::string_view rest) noexcept;

// Writes `mistake` to standard error and calls std::terminate(): for mistakes after which two calls
// would run on one stack, and for what would never end.
[[noreturn]] void refuse(const char* mistake) noexcept;

// A callable that takes Self&. It is moved to where it runs.
template <class Body, class Self>
concept body_of = std::invocable<std::add_lvalue_reference_t<std::decay_t<Body>>, Self&>;

class coroutine {
 public:
  // Moves the body onto the coroutine's own stack, where the first resume() starts it.
  template <body_of<coroutine> Body>
  explicit coroutine(Body&& body, std::size_t stack_size = default_stack_size)
      : coroutine{stack{stack_size}, nullptr, std::forward<Body>(body)} {}

  // The same on a given stack. Everything from `top` upward is in use; null: nothing is.
  template <class Body>
  coroutine(stack memory, std::byte* top, Body&& body);

  coroutine(const coroutine&) = delete;
  coroutine& operator=(const coroutine&) = delete;

  // Unwinds a suspended body: its suspend() throws `cancelled`, and its destructors run. Any other
  // exception from it is dropped. A body that never ran is destroyed without running. Precondition:
  // the body is not running and does not wait for another coroutine that it resumed. Otherwise the
  // program prints the mistake and terminates.
  ~coroutine() {
    if (!done()) [[unlikely]]
      unwind();
    inside_.tracker.destroyed();
  }

  // Runs the body until it suspends or ends. Rethrows an exception that left it. Precondition: not
  // done() and not running(). If it is running, the program prints the mistake and terminates.
  void resume();

  // The same for a body that lets no exception out. If the body transfers to other coroutines, this
  // returns when one of them suspends or ends; this coroutine may be destroyed by then.
  void enter();

  // Returns to the code that resumed. Throws `cancelled` if the coroutine is being destroyed.
  // Precondition: running().
  void suspend();

  // Suspends this coroutine and runs `next` in its place, in a single switch. When `next` suspends,
  // the code that resumed this coroutine continues.
  void transfer_to(coroutine& next);

  // The body calls this just before it ends. Then `next` runs in its place, as by transfer_to().
  void end_in(coroutine& next) noexcept { successor_ = &next; }

  bool done() const noexcept { return progress_ == progress::done; }

  // It was resumed and has not suspended since. It may be waiting for a coroutine that it resumed.
  bool running() const noexcept { return !done() && inside_.stack_pointer == nullptr; }

  // Runs `look` on the stack of a suspended coroutine, as if suspend() had called it, so a
  // backtrace in `look` shows where the coroutine is suspended. `look` must neither throw nor
  // switch. Does nothing if the coroutine has not started, is running or is done.
  void visit(void (*look)(void* argument), void* argument) noexcept;

  // The address for a T just below `top`, aligned as a stack must be.
  template <class T>
  static std::byte* below(std::byte* top) noexcept;

  // Prefetches the memory that resuming touches first. Most of thousands of stacks have left the
  // caches, and waiting for one cache miss after the other takes longer than the switch. Fetching
  // more lines than a return from a blocking call uses costs more than it saves: all stacks lie at
  // the same offset of their pages, so their lines compete for few sets of the cache.
  void fetch_stack() const noexcept {
    constexpr std::size_t lines = 4;
    const auto* frames = static_cast<const std::byte*>(inside_.stack_pointer);
    for (std::size_t i = 0; i < lines; ++i) __builtin_prefetch(frames + 64 * i);
  }

  // For an owner that lives on the stack itself: take the stack, destroy the coroutine, drop the
  // stack.
  stack release_stack() noexcept { return std::move(memory_); }
  const stack& memory() const noexcept { return memory_; }

 private:
  enum class progress : std::uint8_t { fresh, started, done };

  // What is needed to enter a stack again.
  struct context {
    void* stack_pointer = nullptr;  // null while it runs
    exception_state exceptions{};
    context* target = nullptr;   // where the last jump from this stack went
    coroutine* owner = nullptr;  // null for a stack that is not ours
    [[no_unique_address]] sanitizer::stack_tracker tracker{};
  };

  static boost::context::detail::transfer_t jump_to(void* stack_pointer, context& from) noexcept;
  static void arrive(boost::context::detail::transfer_t from, context& here) noexcept;
  static void jump(context& from, context& to, exception_state& live,
                   bool for_ever = false) noexcept;

  struct visitor;
  static boost::context::detail::transfer_t receive_visitor(
      boost::context::detail::transfer_t from) noexcept;

  template <class Body>
  static void entry(boost::context::detail::transfer_t from) noexcept;
  template <class Body>
  void run() noexcept;
  void leave_for_ever() noexcept;
  bool on_its_thread() const noexcept { return live_ == &live_exceptions(); }
  [[noreturn]] void throw_cancelled();
  void unwind() noexcept;

  // The members that a switch touches come first, so that they share cache lines.
  context* resumer_ = nullptr;  // where suspend() returns to; lies on the resumer's stack
  exception_state* live_ = nullptr;
  context inside_;
  stack memory_;
  coroutine* successor_ = nullptr;
  void* body_ = nullptr;
  std::exception_ptr failure_;
  progress progress_ = progress::fresh;
  bool unwinding_ = false;
  std::uint32_t throws_ = 0;  // how often suspend() threw `cancelled`
};

// --- implementation --------------------------------------------------------------------------

template <class T>
std::byte* coroutine::below(std::byte* top) noexcept {
  constexpr std::uintptr_t alignment = alignof(T) > 16 ? alignof(T) : 16;
  return reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(top) - sizeof(T)) &
                                      ~(alignment - 1));
}

template <class Body>
coroutine::coroutine(stack memory, std::byte* top, Body&& body) : memory_{std::move(memory)} {
  using body_type = std::decay_t<Body>;
  static_assert(sizeof(body_type) < smallest_stack_size / 2, "capture less, or by pointer");
  auto* place = below<body_type>(top != nullptr ? top : memory_.top());
  body_ = new (place) body_type(std::forward<Body>(body));
  inside_.stack_pointer = boost::context::detail::make_fcontext(
      place, static_cast<std::size_t>(place - memory_.bottom()), &entry<body_type>);
  inside_.owner = this;
  inside_.tracker.created(memory_.bottom(), memory_.size());
}

// A processor predicts the targets of returns by its return stack buffer, which each call pushes to
// and each return pops. A called jump_fcontext does not return: it leaves by a jump. Its entry
// stays in the buffer, and every return up to the code that waits is mispredicted, which costs as
// much as the switch itself. Entering jump_fcontext by a jump keeps the buffer balanced. (With a
// shadow stack, which enforces the pairing of calls and returns, it must be a call.)
inline boost::context::detail::transfer_t coroutine::jump_to(void* stack_pointer,
                                                             context& from) noexcept {
#if defined(__x86_64__) && !defined(__CET__)
  // stack_pointer is never null here. The call makes this no leaf function: the compiler lets only
  // a leaf keep data in the red zone below its stack pointer, which `push` would overwrite.
  if (stack_pointer == nullptr) [[unlikely]]
    std::terminate();
  boost::context::detail::transfer_t left;
  void* data = &from;
  asm volatile(
      "lea 1f(%%rip), %%rax\n\t"
      "push %%rax\n\t"
      "jmp *jump_fcontext@GOTPCREL(%%rip)\n"
      "1:"
      : "=&a"(left.fctx), "=d"(left.data), "+D"(stack_pointer), "+S"(data)
      :
      // The registers that a call does not preserve.
      : "cc", "memory", "rcx", "r8", "r9", "r10", "r11", "st", "st(1)", "st(2)", "st(3)", "st(4)",
        "st(5)", "st(6)", "st(7)", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#if defined(__AVX512F__)
        ,
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",
        "k7"
#endif
  );
  return left;
#else
  return boost::context::detail::jump_fcontext(stack_pointer, &from);
#endif
}

inline void coroutine::arrive(boost::context::detail::transfer_t from, context& here) noexcept {
  auto& left = *static_cast<context*>(from.data);
  left.stack_pointer = from.fctx;
  here.tracker.after_switch_from(left.tracker);
}

inline void coroutine::jump(context& from, context& to, exception_state& live,
                            bool for_ever) noexcept {
  from.exceptions = live;
  live = to.exceptions;
  from.target = &to;
  from.tracker.before_switch_to(to.tracker, for_ever);
  arrive(jump_to(std::exchange(to.stack_pointer, nullptr), from), from);
}

inline void coroutine::suspend() {
  assert(running());
  assert(on_its_thread() && "a nested coroutine stays on its thread");
  if (unwinding_) throw_cancelled();
  jump(inside_, *resumer_, *live_);
  if (unwinding_) throw_cancelled();
}

inline void coroutine::transfer_to(coroutine& next) {
  assert(on_its_thread() && "a nested coroutine stays on its thread");
  next.resumer_ = resumer_;
  next.live_ = live_;
  jump(inside_, next.inside_, *live_);
}

inline void coroutine::enter() {
  assert(!done());
  if (running()) [[unlikely]]
    refuse("a coroutine was resumed while it runs");
  context outside;
  resumer_ = &outside;
  live_ = &live_exceptions();
  jump(outside, inside_, *live_);
}

inline void coroutine::resume() {
  enter();
  if (failure_) [[unlikely]] {
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }
}

template <class Body>
void coroutine::entry(boost::context::detail::transfer_t from) noexcept {
  auto& self = *static_cast<context*>(from.data)->target->owner;
  arrive(from, self.inside_);
  self.run<Body>();
}

template <class Body>
void coroutine::run() noexcept {
  auto& body = *static_cast<Body*>(body_);
  progress_ = progress::started;
  try {
    if (!unwinding_) body(*this);
  } catch (...) {
    // A fiber's cancellation passes through a generator that the fiber iterates.
    if (!unwinding_) failure_ = std::current_exception();
  }
  body.~Body();
  progress_ = progress::done;
  leave_for_ever();
}

}  // namespace fibers
