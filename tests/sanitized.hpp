// sanitized: tells whether a sanitizer watches this test. It makes programs slower and larger.
#pragma once

#if defined(__has_feature)  // Clang, GCC 14
#define TESTS_HAVE(sanitizer) __has_feature(sanitizer)
#else
#define TESTS_HAVE(sanitizer) 0
#endif

#if defined(__SANITIZE_THREAD__) || TESTS_HAVE(thread_sanitizer)
constexpr bool thread_sanitized = true;
#else
constexpr bool thread_sanitized = false;
#endif

#if defined(__SANITIZE_ADDRESS__) || TESTS_HAVE(address_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = thread_sanitized;
#endif

#undef TESTS_HAVE
