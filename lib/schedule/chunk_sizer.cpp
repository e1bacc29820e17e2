// SPDX-License-Identifier: BSL-1.0
#include "schedule/chunk_sizer.hpp"

#include <algorithm>

namespace coterie::detail {

namespace {

// The weight of the newest measurement. Half forgets an old regime within a few chunks, yet one
// odd item moves the estimate by no more than a factor of two.
constexpr double newest_weight = 0.5;

}  // namespace

void chunk_sizer::measured(std::size_t items, std::chrono::nanoseconds busy) noexcept {
  if (items == 0) return;
  const double sample =
      std::max(static_cast<double>(busy.count()) / static_cast<double>(items), 0.1);
  mean_ = mean_ < 0 ? sample : mean_ + newest_weight * (sample - mean_);

  const double wanted = static_cast<double>(target.count()) / mean_;
  const std::size_t reachable = std::min(largest, items * fastest_growth);
  automatic_ = std::clamp<std::size_t>(static_cast<std::size_t>(std::min(wanted, 1e9)), 1,
                                       std::max<std::size_t>(reachable, 1));
}

std::optional<std::chrono::nanoseconds> chunk_sizer::item_time() const noexcept {
  if (mean_ < 0) return std::nullopt;
  return std::chrono::nanoseconds{static_cast<std::chrono::nanoseconds::rep>(mean_)};
}

}  // namespace coterie::detail
