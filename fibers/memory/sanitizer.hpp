// sanitizer: tells AddressSanitizer and ThreadSanitizer about the stacks of this library.
//
// Both track the stack of every thread and report a jump to another stack as corruption, unless it
// is announced. Boost.Context announces its jumps only if it was compiled for that, and the
// packages of distributions are not. Without a sanitizer everything here is empty.
#pragma once

#include <cstddef>

extern "C" {
void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom, std::size_t size);
void __sanitizer_finish_switch_fiber(void* fake_stack_save, const void** bottom_old,
                                     std::size_t* size_old);
void __asan_unpoison_memory_region(void const volatile* address, std::size_t size);
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}

namespace fibers::sanitizer {

#if defined(__has_feature)  // Clang, GCC 14
#if __has_feature(address_sanitizer)
inline constexpr bool address = true;
#else
inline constexpr bool address = false;
#endif
#if __has_feature(thread_sanitizer)
inline constexpr bool thread = true;
#else
inline constexpr bool thread = false;
#endif
#else
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool address = true;
#else
inline constexpr bool address = false;
#endif
#if defined(__SANITIZE_THREAD__)
inline constexpr bool thread = true;
#else
inline constexpr bool thread = false;
#endif
#endif

// A reused stack carries the red zones of its last owner.
inline void forget_red_zones([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t size) {
  if constexpr (address) __asan_unpoison_memory_region(begin, size);
}

// What the sanitizers know of one stack while nothing runs on it.
template <bool Sanitized>
struct tracker {
  void created(const void*, std::size_t) noexcept {}
  void destroyed() noexcept {}
  void before_switch_to(tracker&, bool) noexcept {}
  void after_switch_from(tracker&) noexcept {}
};

template <>
struct tracker<true> {
  void created(const void* bottom, std::size_t size) noexcept {
    bottom_ = bottom;
    size_ = size;
    if constexpr (thread) running_ = own_ = __tsan_create_fiber(0);
  }

  void destroyed() noexcept {
    if constexpr (thread) {
      if (own_ != nullptr) __tsan_destroy_fiber(own_);
    }
  }

  // `leaving_for_ever`: nothing will run on this stack again.
  void before_switch_to(tracker& to, bool leaving_for_ever) noexcept {
    if constexpr (address) {
      __sanitizer_start_switch_fiber(leaving_for_ever ? nullptr : &fake_stack_, to.bottom_,
                                     to.size_);
    }
    if constexpr (thread) {
      running_ = __tsan_get_current_fiber();
      __tsan_switch_to_fiber(to.running_, 0);
    }
  }

  // Called on the stack that was entered. Records in `from` where the stack left lies.
  void after_switch_from(tracker& from) noexcept {
    if constexpr (address) {
      __sanitizer_finish_switch_fiber(fake_stack_, &from.bottom_, &from.size_);
    }
  }

 private:
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
  void* fake_stack_ = nullptr;
  void* own_ = nullptr;
  void* running_ = nullptr;  // another stack's, if a coroutine was left from inside another
};

using stack_tracker = tracker<address || thread>;

// The sanitizers change the layout of stacks and fibers, so a program must be compiled with the
// same sanitizers as the library. The library defines this function for its own combination, and
// every program refers to the one for its combination. If they differ, the program does not link.
template <bool Address, bool Thread>
void library_has_the_same_sanitizers() noexcept;

[[gnu::used]] inline void (*const same_sanitizers)() noexcept =
    &library_has_the_same_sanitizers<address, thread>;

}  // namespace fibers::sanitizer
