// SPDX-License-Identifier: BSL-1.0
#pragma once

#if defined(__SANITIZE_THREAD__)
#define COTERIE_TEST_SANITIZED_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COTERIE_TEST_SANITIZED_THREADS 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COTERIE_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define COTERIE_TEST_SANITIZED 1
#endif
#endif

namespace test {

/// Whether this build is made to find faults, and slower by much.
#ifdef COTERIE_TEST_SANITIZED
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// Whether signal handlers run only when a program makes a system call, as under ThreadSanitizer.
#ifdef COTERIE_TEST_SANITIZED_THREADS
inline constexpr bool late_signal_handlers = true;
#else
inline constexpr bool late_signal_handlers = false;
#endif

}  // namespace test
