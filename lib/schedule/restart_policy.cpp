// SPDX-License-Identifier: BSL-1.0
#include "schedule/restart_policy.hpp"

#include <algorithm>
#include <utility>

namespace coterie::detail {

void restart_policy::failed(start_failure why, time_point now) {
  if (why == start_failure::of_program) {
    ++in_a_row_;
    return;
  }
  while (!lost_.empty() && now - lost_.front() > limits_.window) lost_.pop_front();
  // One more than the limit says all there is to say.
  if (lost_.size() <= limits_.starts) lost_.push_back(now);
  if (retry_at_ || gave_up()) return;
  retry_at_ = now + std::exchange(wait_, std::min(2 * wait_, timing::longest_restart_wait));
}

void restart_policy::succeeded() noexcept {
  begin_anew();
  pause_ = timing::first_restart_pause;
}

void restart_policy::begin_anew() noexcept {
  lost_.clear();
  in_a_row_ = 0;
  retry_at_.reset();
  wait_ = timing::first_restart_wait;
}

void restart_policy::pause(time_point now) noexcept {
  if (retry_at_) return;
  retry_at_ = now + std::exchange(pause_, std::min(2 * pause_, timing::longest_restart_pause));
}

bool restart_policy::tick(time_point now) noexcept {
  if (!retry_at_ || *retry_at_ > now) return false;
  retry_at_.reset();
  if (gave_up()) begin_anew();
  return true;
}

}  // namespace coterie::detail
