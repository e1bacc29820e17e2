// SPDX-License-Identifier: BSL-1.0
#include "schedule/chunk_sizer.hpp"

#include <algorithm>
#include <cmath>

#include "timing/timing.hpp"

namespace coterie::detail {

namespace {

// The weight of the newest measurement. Half forgets an old regime within a few chunks, yet one
// odd item moves the estimate by no more than half of the way.
constexpr double newest_weight = 0.5;

double count(std::chrono::nanoseconds time) { return static_cast<double>(time.count()); }

}  // namespace

void chunk_sizer::measured(std::size_t items, std::chrono::nanoseconds busy, bool whole) noexcept {
  if (items == 0) return;
  const double time = std::max(count(busy), 0.0);
  const double sample = std::max(time / static_cast<double>(items), 0.1);
  mean_ = mean_ < 0 ? sample : mean_ + newest_weight * (sample - mean_);
  all_ += time;

  if (automatic()) {
    const std::size_t reachable =
        whole ? std::min(items, largest / fastest_growth) * fastest_growth : next_;
    next_ = std::clamp<std::size_t>(automatic_size(), 1, reachable);
  } else {
    const std::size_t measured = std::clamp<std::size_t>(items / given_, 1, most_together);
    const std::size_t reachable =
        std::min(whole ? measured * fastest_growth : next_ / given_, largest / given_);
    next_ = given_ * std::max<std::size_t>(std::min(chunks_together(), reachable), 1);
  }
}

std::size_t chunk_sizer::automatic_size() const noexcept {
  return static_cast<std::size_t>(std::ceil(std::min(aim() / mean_, static_cast<double>(largest))));
}

std::size_t chunk_sizer::chunks_together() const noexcept {
  const double each = mean_ * static_cast<double>(given_);
  return static_cast<std::size_t>(
      std::min(count(timing::longest_together) / each, static_cast<double>(most_together)));
}

double chunk_sizer::aim() const noexcept {
  const double shortest =
      std::max(count(timing::shortest_chunk), count(timing::shortest_chunk_each) * workers_);
  const double longest =
      std::max(count(timing::longest_chunk), count(timing::longest_chunk_each) * workers_);
  return std::clamp(all_ / workers_ / parts, shortest, longest);
}

std::optional<std::chrono::nanoseconds> chunk_sizer::item_time() const noexcept {
  if (mean_ < 0) return std::nullopt;
  return std::chrono::nanoseconds{static_cast<std::chrono::nanoseconds::rep>(mean_)};
}

}  // namespace coterie::detail
