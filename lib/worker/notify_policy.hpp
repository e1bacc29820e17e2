// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>

#include "timing/timing.hpp"

namespace coterie::detail {

/// When a worker notifies its parent of what it has published, and what else it does for its parent
/// between two items: check for a cancellation, and yield the CPU.
///
/// Waking the parent costs as much as a task of 15 us. So a worker with short items publishes
/// results without notifying, and notifies once for many of them.
///
/// Has no clock: the time is given. Thread safety: none.
class notify_policy {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // ---- what has happened ----

  /// The parent can see frames of which it was not notified.
  void published() noexcept { has_news_ = true; }
  [[nodiscard]] bool has_news() const noexcept { return has_news_; }
  /// The parent was notified of all that is published. `woken`: it slept.
  void notified(bool woken) noexcept {
    has_news_ = false;
    woken_ = woken_ || woken;
  }
  /// All that there was has been published, and the parent notified.
  void flushed(time_point now) noexcept { flushed_ = now; }

  // ---- what it is time for, between two items ----

  /// To flush: the oldest result has waited for `longest_wait`, or the `unsent` bytes are many.
  [[nodiscard]] bool must_flush(time_point now, std::chrono::nanoseconds longest_wait,
                                std::size_t unsent) const noexcept {
    return now - flushed_ >= longest_wait || unsent >= many_bytes;
  }
  /// To check whether the parent has cancelled the job. Counts as done if so.
  [[nodiscard]] bool must_check(time_point now) noexcept {
    if (now - checked_ < timing::cancel_check) return false;
    checked_ = now;
    return true;
  }
  /// To yield the CPU, if the parent has read nothing since it was woken. Once for each wake-up.
  [[nodiscard]] bool may_yield(time_point now) noexcept {
    return now - flushed_ >= timing::stride && std::exchange(woken_, false);
  }

  /// Results of so many bytes do not wait for more.
  static constexpr std::size_t many_bytes = std::size_t{256} << 10U;

 private:
  bool has_news_ = false;
  bool woken_ = false;  // and did not get this process's CPU since
  time_point flushed_{};
  time_point checked_{};
};

}  // namespace coterie::detail
