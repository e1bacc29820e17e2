// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "timing/timing.hpp"

namespace coterie::detail {

/// How many items of a chunk run between two readings of the clock: as many as take about
/// `timing::stride`, as far as is known from those before them.
///
/// Has no clock: the time is given. Thread safety: none.
class item_pace {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The next chunk is one of another job: nothing is known of its items.
  void forget() noexcept { allowed_ = 1; }
  void begin_chunk(time_point now) noexcept {
    begun_ = read_ = now;
    granted_ = 0;
  }
  /// The time that the chunk has taken so far.
  [[nodiscard]] std::chrono::nanoseconds busy(time_point now) const noexcept {
    return now - begun_;
  }

  /// So many items will have run when the clock is read next.
  void grant(std::size_t items) noexcept { granted_ = items; }
  /// The clock was read. Returns how many items may run before the next reading.
  [[nodiscard]] std::size_t measure(time_point now) noexcept {
    const std::chrono::nanoseconds took = now - std::exchange(read_, now);
    if (granted_ == 0) return allowed_;
    const auto fitting = static_cast<std::size_t>(timing::stride.count()) * granted_ /
                         static_cast<std::size_t>(std::max<std::int64_t>(took.count(), 1));
    allowed_ = std::clamp<std::size_t>(fitting, 1, std::min(granted_ * 8, longest_stride));
    return allowed_;
  }

  static constexpr std::size_t longest_stride = std::size_t{1} << 16U;

 private:
  std::size_t allowed_ = 1;
  std::size_t granted_ = 0;  // since the clock was read; 0: the chunk has just begun
  time_point begun_{};
  time_point read_{};
};

}  // namespace coterie::detail
