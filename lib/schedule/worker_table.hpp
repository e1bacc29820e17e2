// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "messages/identifiers.hpp"

namespace coterie::detail {

/// How far a worker has come in its life.
enum class worker_stage : std::uint8_t {
  planned,   // its process is to be started
  starting,  // its process runs, its initializer has not ended
  ready,     // it runs what it is given
  leaving,   // it was asked to finish what it holds and to leave
};

/// Why the pool kills a worker.
enum class kill_reason : std::uint8_t {
  none,             // it does not
  unwanted,         // the call that it ran was cancelled, or the pool was terminated
  start_timed_out,  // it was not ready in time
  broke_rules,      // it sent what no worker sends
  lost_link,        // it closed the descriptors by which it speaks with its parent
};

/// A worker as the scheduler knows it. What it holds is in the `ledger`.
struct worker {
  using time_point = std::chrono::steady_clock::time_point;

  worker_id id = 0;
  int rank = 0;
  worker_stage stage = worker_stage::planned;
  kill_reason killed = kill_reason::none;
  bool revocable = false;       // what it holds can be revoked
  std::size_t revocations = 0;  // since it ended a chunk
  bool preempted = false;  // what it had not begun was revoked, and it has not got anything since
  bool overdue = false;    // it is at what it runs for longer than was expected
  std::optional<time_point> overdue_at{};      // while that is watched
  std::optional<time_point> start_deadline{};  // while it starts

  [[nodiscard]] bool is(worker_stage which) const noexcept {
    return stage == which && killed == kill_reason::none;
  }
  [[nodiscard]] bool was_ready() const noexcept { return stage >= worker_stage::ready; }
};

/// The workers of a pool. Each has a seat as long as it lives, by which queues name it; an id tells
/// whether a seat has been given to another worker since.
class worker_table {
 public:
  explicit worker_table(std::size_t seats) : seats_(seats) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t seats() const noexcept { return seats_.size(); }
  [[nodiscard]] static std::size_t seat_of(worker_id id) noexcept {
    return static_cast<std::size_t>(id & seat_mask);
  }

  /// Null if the worker has left.
  [[nodiscard]] worker* find(worker_id id) noexcept {
    worker* const found = at_seat(seat_of(id));
    return found != nullptr && found->id == id ? found : nullptr;
  }
  [[nodiscard]] const worker* find(worker_id id) const noexcept {
    const worker* const found = at_seat(seat_of(id));
    return found != nullptr && found->id == id ? found : nullptr;
  }
  /// Null if the seat is free.
  [[nodiscard]] worker* at_seat(std::size_t seat) noexcept {
    return seat < seats_.size() && seats_[seat].id != 0 ? &seats_[seat] : nullptr;
  }
  [[nodiscard]] const worker* at_seat(std::size_t seat) const noexcept {
    return seat < seats_.size() && seats_[seat].id != 0 ? &seats_[seat] : nullptr;
  }

  /// A new worker, on the first free seat. Precondition: there is one.
  worker& add(int rank) {
    std::size_t seat = 0;
    while (seats_[seat].id != 0) ++seat;
    ++size_;
    seats_[seat] = {.id = ++created_ << seat_bits | seat, .rank = rank};
    return seats_[seat];
  }
  void remove(worker_id id) noexcept {
    seats_[seat_of(id)] = {};
    --size_;
  }

  /// In the order of their seats. `action` may remove the worker that it is given.
  template <class Action>
  void for_each(Action action) {
    for (worker& each : seats_) {
      if (each.id != 0) action(each);
    }
  }
  template <class Action>
  void for_each(Action action) const {
    for (const worker& each : seats_) {
      if (each.id != 0) action(each);
    }
  }

 private:
  static constexpr unsigned seat_bits = 16;
  static constexpr worker_id seat_mask = (worker_id{1} << seat_bits) - 1;

  std::vector<worker> seats_;
  std::size_t size_ = 0;
  worker_id created_ = 0;
};

}  // namespace coterie::detail
