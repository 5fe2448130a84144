// debug_build: tells whether this program was compiled in a way that makes its times meaningless.
#pragma once

namespace bench {

// True if compiled with assertions or with a sanitizer.
constexpr bool built_for_debugging() {
#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return true;
#else
  return false;
#endif
#else
  return false;
#endif
}

}  // namespace bench
