// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "timing/timing.hpp"

namespace coterie::detail {

/// `each * count`, at most `timing::longest_time`. Precondition: `each >= 0`.
constexpr std::chrono::nanoseconds bounded_product(std::chrono::nanoseconds each,
                                                   std::size_t count) noexcept {
  const auto most = static_cast<std::size_t>(timing::longest_time.count());
  const auto time = static_cast<std::size_t>(std::min(each, timing::longest_time).count());
  if (time != 0 && count > most / time) return timing::longest_time;
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
