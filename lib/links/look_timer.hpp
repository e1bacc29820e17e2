// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "links/link.hpp"

namespace coterie::detail {

/// Has a link's listener look for input some time later, unless that is put off again. A timer that runs
/// out too early is left to run, which is cheaper than to set it anew. Thread safety: none.
class look_timer {
 public:
  explicit look_timer(const boost::asio::any_io_executor& executor)
      : timer_{std::in_place, executor} {}

  /// The listener is to look when `delay` has passed, and not before, whatever was wanted so far.
  void set(std::chrono::nanoseconds delay, const std::shared_ptr<link_listener>& listener) {
    set_to(std::chrono::steady_clock::now() + delay, listener);
  }
  /// The same, unless it will look sooner.
  void set_at_latest(std::chrono::nanoseconds delay,
                     const std::shared_ptr<link_listener>& listener) {
    const auto latest = std::chrono::steady_clock::now() + delay;
    if (!runs_ || look_at_ > latest) set_to(latest, listener);
  }

  /// Takes in that the listener was told; returns whether it is time.
  [[nodiscard]] bool is_due(const std::shared_ptr<link_listener>& listener) {
    runs_ = false;
    if (std::chrono::steady_clock::now() >= look_at_) return true;
    start(listener);
    return false;
  }

  void cancel() {
    if (timer_) timer_->cancel();
  }
  /// The event loop is being destroyed.
  void abandon() noexcept { timer_.reset(); }

 private:
  void set_to(std::chrono::steady_clock::time_point time,
              const std::shared_ptr<link_listener>& listener) {
    look_at_ = time;
    if (!runs_ || look_at_ < timer_->expiry()) start(listener);
  }
  void start(const std::shared_ptr<link_listener>& listener) {
    runs_ = true;
    timer_->expires_at(look_at_);
    timer_->async_wait([listener](boost::system::error_code problem) {
      if (!problem) listener->time_to_look(look_for::what_may_have_come);
    });
  }

  std::optional<boost::asio::steady_timer> timer_;
  std::chrono::steady_clock::time_point look_at_{};  // never before the timer ends
  bool runs_ = false;
};

}  // namespace coterie::detail
