// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "messages/identifiers.hpp"
#include "schedule/actions.hpp"
#include "schedule/restart_policy.hpp"
#include "schedule/worker_table.hpp"

namespace coterie::detail {

/// How a worker's end is to be taken.
enum class departure : std::uint8_t {
  unknown,       // there is no such worker
  start_failed,  // it was never ready
  left,          // as it was asked to
  killed,        // by the pool, and by no fault of its own
  crashed,       // by its own fault, or by another process
};

/// The lives of a pool's workers: when they start, what is known of each, and why they leave. What
/// they work at is not its matter.
class crew {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using actions = std::deque<scheduler_action>;

  crew(int size, std::chrono::nanoseconds start_timeout, restart_limits restarts);

  [[nodiscard]] int size() const noexcept { return size_; }
  [[nodiscard]] int ready_count() const noexcept { return ready_; }
  [[nodiscard]] bool empty() const noexcept { return workers_.size() == 0; }
  [[nodiscard]] worker* find(worker_id id) noexcept { return workers_.find(id); }
  [[nodiscard]] const worker* find(worker_id id) const noexcept { return workers_.find(id); }
  [[nodiscard]] worker* at_seat(std::size_t seat) noexcept { return workers_.at_seat(seat); }
  [[nodiscard]] const worker* at_seat(std::size_t seat) const noexcept {
    return workers_.at_seat(seat);
  }
  template <class Action>
  void for_each(Action action) {
    workers_.for_each(action);
  }
  template <class Action>
  void for_each(Action action) const {
    workers_.for_each(action);
  }

  /// Plans a worker for each rank that has none, unless starts have to wait.
  void fill(actions& due);
  /// Should starts have been given up, they begin anew.
  void hope_again() noexcept {
    if (given_up()) restarts_.begin_anew();
  }

  /// The process runs.
  void started(worker_id id, time_point now);
  /// False: it is not starting, or is being killed.
  [[nodiscard]] bool became_ready(worker_id id, bool revocable);
  /// Has the worker killed, unless that is on its way.
  void kill(worker& target, kill_reason why, actions& due);
  /// Asks the worker to leave. Precondition: it is ready.
  void retire(worker& target, actions& due);
  /// Forgets a worker that was planned, and is not wanted any more.
  void unplan(const worker& which) noexcept;
  /// The worker has left; `why`, if it was never ready.
  departure remove(worker_id id, start_failure why, time_point now);

  /// Whether no worker lives, and no start will be tried any more.
  [[nodiscard]] bool given_up() const noexcept { return empty() && restarts_.gave_up(); }
  void stop_starting() noexcept { restarts_.stop_waiting(); }

  /// Kills what starts for too long. Returns whether a wait for another start is over.
  bool tick(time_point now, actions& due);
  [[nodiscard]] std::optional<time_point> next_deadline() const;

 private:
  void stop_watching(worker& which) noexcept;

  int size_;
  std::chrono::nanoseconds start_timeout_;  // zero: no limit
  worker_table workers_;
  std::vector<worker_id> by_rank_;           // 0: none
  std::vector<std::uint64_t> incarnations_;  // by rank
  restart_policy restarts_;
  int ready_ = 0;
  int watched_ = 0;  // workers with a start deadline
};

}  // namespace coterie::detail
