// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>

#include "timing/timing.hpp"

namespace coterie::detail {

/// How a side of a link looks for input before it sleeps: a wake-up costs ten times what a message costs
/// that finds the other side awake.
///
/// Looking takes a CPU, and must not take it from somebody who has work. The pool looks only if there are
/// more CPUs than its processes need. Whoever looks in vain a few times gives up for a while, longer each
/// time: nothing comes soon, or the kernel has put both sides on one CPU, where each keeps the other from
/// answering. So does at once who is put aside by the kernel: another process wants the CPU. Thread
/// safety: none.
template <class Clock>
class basic_busy_poll {
 public:
  using clock = Clock;

  /// The longest that can be asked for.
  static constexpr std::chrono::nanoseconds longest = timing::longest_busy_poll;

  /// How often it looks in vain before it rests.
  static constexpr int patience = 3;

  /// `limit` is how long to look; zero is not to look at all.
  explicit basic_busy_poll(std::chrono::nanoseconds limit) noexcept : limit_{limit} {}

  [[nodiscard]] std::chrono::nanoseconds limit() const noexcept { return limit_; }

  /// Begins to look, for as long as the limit says. False: this is not the time.
  [[nodiscard]] bool begin() noexcept {
    if (limit_ == std::chrono::nanoseconds::zero()) return false;
    const auto now = clock::now();
    if (now < rest_until_) return false;
    end_ = now + limit_;
    return true;
  }
  [[nodiscard]] bool over() const noexcept { return clock::now() >= end_; }

  /// Looks until `found()`, for `turn` or until it is over, and returns whether it was found.
  template <class Found>
  bool look(std::chrono::nanoseconds turn, Found found) {
    auto before = clock::now();
    const auto end = std::min(before + turn, end_);
    for (;;) {
      for (int looks = 0; looks < looks_between_clocks; ++looks) {
        if (found()) {
          in_vain_ = 0;
          rest_ = timing::first_poll_rest;
          return true;
        }
        relax();
      }
      const auto now = clock::now();
      const bool was_put_aside = now - before > timing::preemption;
      if (was_put_aside || (now >= end_ && ++in_vain_ >= patience)) rest_from(now);
      if (was_put_aside) return found();
      if (now >= end) return false;
      before = now;
    }
  }

 private:
  static constexpr int looks_between_clocks = 8;

  void rest_from(typename clock::time_point now) noexcept {
    end_ = now;
    rest_until_ = now + rest_;
    rest_ = std::min(2 * rest_, timing::longest_poll_rest);
    in_vain_ = patience - 1;  // one more is enough
  }

  // Tells the processor that this is a loop which waits for memory.
  static void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  std::chrono::nanoseconds limit_;
  typename clock::time_point end_{};
  typename clock::time_point rest_until_{};
  std::chrono::nanoseconds rest_ = timing::first_poll_rest;
  int in_vain_ = 0;
};

using busy_poll = basic_busy_poll<std::chrono::steady_clock>;

}  // namespace coterie::detail
