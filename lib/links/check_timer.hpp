// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "runtime/runtime.hpp"

namespace coterie::detail {

/// Tells a link when to check its memory for what was not announced, unless the check is put off. A
/// timer that runs out too early is left to run, which is cheaper than to set it anew. Thread
/// safety: none.
class check_timer {
 public:
  /// `runs_on` outlives it.
  explicit check_timer(runtime& runs_on) : runtime_{runs_on}, timer_{runs_on.make_timer()} {}

  /// `what` is to be called when `delay` has passed, and not before, whatever was wanted so far. It
  /// asks `is_due`, and keeps alive what it touches.
  template <class Turn>
  void set(std::chrono::nanoseconds delay, const Turn& what) {
    set_to(runtime_.now() + delay, what);
  }
  /// The same, unless it is called sooner.
  template <class Turn>
  void set_at_latest(std::chrono::nanoseconds delay, const Turn& what) {
    const auto latest = runtime_.now() + delay;
    if (!runs_ || check_at_ > latest) set_to(latest, what);
  }

  /// Takes in that `what` was called; returns whether it is time. If not, `what` is called again.
  template <class Turn>
  [[nodiscard]] bool is_due(const Turn& what) {
    runs_ = false;
    if (runtime_.now() >= check_at_) return true;
    arm(what);
    return false;
  }

  void cancel() {
    if (timer_) timer_->cancel();
  }
  /// The event loop is being destroyed.
  void abandon() noexcept { timer_.reset(); }

 private:
  template <class Turn>
  void set_to(runtime::time_point when, const Turn& what) {
    check_at_ = when;
    if (!runs_ || check_at_ < armed_for_) arm(what);
  }
  template <class Turn>
  void arm(const Turn& what) {
    runs_ = true;
    armed_for_ = check_at_;
    timer_->call_at(check_at_, what());
  }

  runtime& runtime_;
  std::unique_ptr<runtime_timer> timer_;
  runtime::time_point check_at_{};  // never before the timer ends
  runtime::time_point armed_for_{};
  bool runs_ = false;
};

}  // namespace coterie::detail
