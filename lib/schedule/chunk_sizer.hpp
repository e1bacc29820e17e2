// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace coterie::detail {

/// How many items the next chunk of a job should have.
///
/// A given size is kept. An automatic one follows the measured time of an item: chunks aim to run
/// for `target`, which makes the cost of sending one (some 20 microseconds) less than 2% of it, and
/// lets the last chunks of a job end within `target` of each other. It starts with single items, so
/// that first answers come early, and grows at most eightfold from one measurement to the next, so
/// that a quick start to a slow input cannot produce a chunk that runs for minutes.
class chunk_sizer {
 public:
  static constexpr std::chrono::nanoseconds target = std::chrono::milliseconds{2};
  static constexpr std::size_t fastest_growth = 8;
  static constexpr std::size_t largest = std::size_t{1} << 20U;

  /// `given` is the number of items in each chunk; 0 means automatic.
  explicit chunk_sizer(std::size_t given) noexcept : given_{given} {}

  [[nodiscard]] bool automatic() const noexcept { return given_ == 0; }
  [[nodiscard]] std::size_t next() const noexcept { return automatic() ? automatic_ : given_; }

  /// Tells that `items` items ran for `busy` in all.
  void measured(std::size_t items, std::chrono::nanoseconds busy) noexcept;

  /// The time of one item as far as it is known; empty before the first measurement.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> item_time() const noexcept;

 private:
  std::size_t given_;
  std::size_t automatic_ = 1;
  double mean_ = -1.0;  // nanoseconds an item; negative: not measured yet
};

}  // namespace coterie::detail
