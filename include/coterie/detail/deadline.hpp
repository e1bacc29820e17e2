// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

namespace coterie::detail {

/// The time at which `limit` from `now` has passed. Any duration will do: less than nothing is now,
/// and more than a century is a century.
template <class Rep, class Period>
constexpr std::chrono::steady_clock::time_point deadline_after(
    std::chrono::steady_clock::time_point now, std::chrono::duration<Rep, Period> limit) {
  using clock = std::chrono::steady_clock;
  constexpr std::chrono::hours longest{24 * 365 * 100};
  // As a number of another type: the units of both may be too far apart for an integer.
  const std::chrono::duration<double> seconds{limit};
  if (!(seconds > std::chrono::duration<double>::zero())) return now;
  if (seconds >= longest) return now + longest;
  return now + std::chrono::ceil<clock::duration>(limit);
}

}  // namespace coterie::detail
