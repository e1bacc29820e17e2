// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

namespace bench {

/// Works, rather than waits, until so many nanoseconds have passed.
inline void spin_for(std::int64_t nanoseconds) {
  using clock = std::chrono::steady_clock;
  const auto end = clock::now() + std::chrono::nanoseconds{nanoseconds};
  while (clock::now() < end) {
  }
}

/// A task of the given length, whose result can be checked.
inline std::int64_t spin_and_return(std::int64_t nanoseconds, std::int64_t number) {
  spin_for(nanoseconds);
  return number;
}

inline std::int64_t identity(std::int64_t number) { return number; }

/// 0 + 1 + ... + (count - 1)
inline std::int64_t sum_below(std::int64_t count) { return count * (count - 1) / 2; }

}  // namespace bench
