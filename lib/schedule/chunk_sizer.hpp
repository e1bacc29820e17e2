// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace coterie::detail {

/// How many items the next message of a job should have.
///
/// Of automatic size is a chunk with the fewest items that take the time it aims at, by
/// their measured time: a twentieth of the time that the job has had of each worker so far, within
/// limits below which messages would cost too much, and above which nothing would be gained. It
/// starts with single items, so that first answers come early, and at most doubles from one
/// measurement to the next, so that a quick start to a slow input cannot produce a chunk that runs
/// for minutes.
///
/// Where the size of chunks was given, a message has one of them, or as many as are expected to end
/// within a short time. That number too starts with one, and at most doubles.
/// `docs/chunks.md` gives the reasons.
class chunk_sizer {
 public:
  static constexpr int parts = 20;  // of the time so far, one of which a chunk aims at
  static constexpr std::size_t fastest_growth = 2;
  static constexpr std::size_t largest = std::size_t{1} << 20U;
  /// Chunks of given size travel together up to this number.
  static constexpr std::size_t most_together = 64;

  /// `given` is the number of items in each chunk; 0 means automatic.
  explicit chunk_sizer(std::size_t given, int workers = 1) noexcept
      : given_{given}, workers_{workers}, next_{least()} {}

  [[nodiscard]] bool automatic() const noexcept { return given_ == 0; }
  /// The fewest items in a message.
  [[nodiscard]] std::size_t least() const noexcept { return automatic() ? 1 : given_; }
  [[nodiscard]] std::size_t next() const noexcept { return next_; }

  /// Tells that `items` items ran for `busy` in all. `whole`: this is what was sent; of a part of
  /// it the next chunk may be more than the double.
  void measured(std::size_t items, std::chrono::nanoseconds busy, bool whole = true) noexcept;

  /// The time of one item as far as it is known; empty before the first measurement.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> item_time() const noexcept;

 private:
  [[nodiscard]] double aim() const noexcept;
  [[nodiscard]] std::size_t automatic_size() const noexcept;
  [[nodiscard]] std::size_t chunks_together() const noexcept;

  std::size_t given_;
  int workers_;
  std::size_t next_;
  double all_ = 0;      // nanoseconds that were measured so far
  double mean_ = -1.0;  // nanoseconds an item; negative: not measured yet
};

}  // namespace coterie::detail
