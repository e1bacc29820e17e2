// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace bench {

/// Task times in nanoseconds, from 1 us to 1 ms, as many from 1 to 10 us as from 100 us to 1 ms.
/// Always the same ones, here and in Python (`support/tasks.py`).
inline std::vector<std::int64_t> uneven_times(std::int64_t count, bool longest_last) {
  std::vector<std::int64_t> times;
  times.reserve(static_cast<std::size_t>(count));
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < count; ++i) {
    state = state * 1'664'525 + 1'013'904'223;
    times.push_back(std::llround(1000 * std::pow(1000.0, state / 4'294'967'296.0)));
  }
  if (longest_last) std::ranges::sort(times);
  return times;
}

}  // namespace bench
