// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace coterie::detail {

/// The longest time that is told from any other. A worker may say that an item took centuries, and a
/// program may put any number of items into a chunk: what is computed from both stays below this, so that
/// sums of a few such times and the clock's do not overflow.
inline constexpr std::chrono::nanoseconds longest_time = std::chrono::hours{24 * 365};

/// `each * count`, bounded. Precondition: `each >= 0`.
constexpr std::chrono::nanoseconds bounded_product(std::chrono::nanoseconds each,
                                                   std::size_t count) noexcept {
  const auto most = static_cast<std::size_t>(longest_time.count());
  const auto time = static_cast<std::size_t>(std::min(each, longest_time).count());
  if (time != 0 && count > most / time) return longest_time;
  return std::chrono::nanoseconds{static_cast<std::chrono::nanoseconds::rep>(time * count)};
}

/// The share of `part` among `all` of a bounded time. Precondition: `part <= all`, `all > 0`.
constexpr std::chrono::nanoseconds share_of(std::chrono::nanoseconds time, std::size_t part,
                                            std::size_t all) noexcept {
  const double share = static_cast<double>(part) / static_cast<double>(all);
  return std::chrono::nanoseconds{
      static_cast<std::chrono::nanoseconds::rep>(static_cast<double>(time.count()) * share)};
}

}  // namespace coterie::detail
