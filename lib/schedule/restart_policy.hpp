// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "timing/timing.hpp"

namespace coterie::detail {

/// Why a worker ended before it was ready.
enum class start_failure : std::uint8_t {
  of_program,    // the next start would fail in the same way: the initializer threw, say
  from_outside,  // killed by another process, or by a system that was short of memory
};

/// How many starts may be lost before the pool gives up.
struct restart_limits {
  std::size_t starts = 64;
  std::chrono::nanoseconds window = timing::restart_window;
};

/// Decides when workers that ended before they were ready are started again.
///
/// A failure of the program repeats: after three in a row no further start is tried. A failure from
/// outside says nothing of the program. The next start then waits (back-off: 1 ms, doubled each
/// time, up to a second), and starts go on until more than a given number were lost in a window of
/// time, as the restart intensity of a supervisor in Erlang/OTP limits them. One worker that
/// becomes ready proves that starts succeed, and clears everything.
///
/// Pure: times come in as arguments.
class restart_policy {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Failures of the program in a row after which no further start is tried.
  static constexpr int attempts = 3;

  explicit restart_policy(restart_limits limits) noexcept : limits_{limits} {}

  void failed(start_failure why, time_point now);
  void succeeded() noexcept;
  /// Begins anew, as if nothing had failed; for a program that asks once more.
  void begin_anew() noexcept;

  /// Whether a worker may be started now.
  [[nodiscard]] bool may_start() const noexcept { return !gave_up() && !retry_at_; }
  /// Whether no start will be tried any more, unless after a `pause`, or after `begin_anew`.
  [[nodiscard]] bool gave_up() const noexcept {
    return in_a_row_ >= attempts || lost_.size() > limits_.starts;
  }
  /// Starts were given up, and other workers serve: starts begin anew after a pause.
  void pause(time_point now) noexcept;

  /// When `tick` has something to do, if ever.
  [[nodiscard]] std::optional<time_point> retry_at() const noexcept { return retry_at_; }
  /// Returns whether a wait is over by then.
  [[nodiscard]] bool tick(time_point now) noexcept;
  /// No start is wanted any more.
  void stop_waiting() noexcept { retry_at_.reset(); }

 private:
  restart_limits limits_;
  std::deque<time_point> lost_;  // starts that were ended from outside, within the window
  int in_a_row_ = 0;             // failures of the program
  std::optional<time_point> retry_at_;
  std::chrono::nanoseconds wait_ = timing::first_restart_wait;
  std::chrono::nanoseconds pause_ = timing::first_restart_pause;
};

}  // namespace coterie::detail
