// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>

#include "timing/timing.hpp"

namespace coterie::detail {

/// How one side of a channel polls for input before it sleeps: a wake-up costs ten times what a
/// message costs that finds the other side awake.
///
/// Polling takes a CPU, and must not take it from a process that has work. The pool polls only if
/// there are more CPUs than its processes need. After a few unsuccessful polls a side stops polling
/// for a while, and the pause doubles each time: either nothing comes soon, or the kernel has put
/// both sides on one CPU, where each keeps the other from answering. A side that was preempted
/// stops polling at once: another process wants the CPU.
///
/// Has no clock: the time is given. Thread safety: none.
class busy_poll {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The longest limit that a program can ask for.
  static constexpr std::chrono::nanoseconds longest = timing::longest_busy_poll;

  /// So many unsuccessful polls in a row are followed by a pause.
  static constexpr int patience = 3;

  /// `limit` is how long one poll takes at most; zero: there is no polling.
  explicit busy_poll(std::chrono::nanoseconds limit) noexcept : limit_{limit} {}

  [[nodiscard]] std::chrono::nanoseconds limit() const noexcept { return limit_; }

  /// Begins a poll. False: polling pauses, or there is none.
  [[nodiscard]] bool begin(time_point now) noexcept {
    if (limit_ == std::chrono::nanoseconds::zero() || now < pause_until_) return false;
    end_ = now + limit_;
    return true;
  }
  /// Whether the poll has reached its limit.
  [[nodiscard]] bool over(time_point now) const noexcept { return now >= end_; }

  /// Polls until `found()`, for `turn` or until the poll is over, and returns whether it was found.
  /// `now()` reads the clock.
  template <class Now, class Found>
  bool poll(std::chrono::nanoseconds turn, Now now, Found found) {
    time_point before = now();
    const time_point turn_end = std::min(before + turn, end_);
    for (;;) {
      for (int tries = 0; tries < tries_between_clocks; ++tries) {
        if (found()) {
          unsuccessful_ = 0;
          pause_ = timing::first_poll_rest;
          return true;
        }
        relax();
      }
      const time_point here = now();
      const bool preempted = here - before > timing::preemption;
      if (preempted || (over(here) && ++unsuccessful_ >= patience)) pause_from(here);
      if (preempted) return found();
      if (here >= turn_end) return false;
      before = here;
    }
  }

 private:
  static constexpr int tries_between_clocks = 8;

  void pause_from(time_point now) noexcept {
    end_ = now;
    pause_until_ = now + pause_;
    pause_ = std::min(2 * pause_, timing::longest_poll_rest);
    unsuccessful_ = patience - 1;  // one more brings the next pause
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
  time_point end_{};
  time_point pause_until_{};
  std::chrono::nanoseconds pause_ = timing::first_poll_rest;
  int unsuccessful_ = 0;  // polls in a row
};

}  // namespace coterie::detail
