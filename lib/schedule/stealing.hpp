// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "schedule/job_table.hpp"
#include "schedule/seat_queue.hpp"
#include "schedule/tables.hpp"
#include "schedule/worker_table.hpp"

namespace coterie::detail {

/// Decides what is revoked from which worker: for a thief, that is a worker which is idle, or for a
/// job that has to wait, which preempts workers of another one. Pure.
///
/// Each worker is robbed once of what it was given last. What was not worth a theft then is stolen
/// when the worker is overdue.
class stealing {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// So often a worker's chunks are revoked while it runs one of them. It has to go through all
  /// that it was sent.
  static constexpr std::size_t max_revocations = 4;

  explicit stealing(std::size_t seats) : victims_{seats}, watched_{seats} {}

  /// Items that take less together are not worth a theft.
  [[nodiscard]] static std::size_t min_theft(const tables& known, const job_state& job);

  /// The worker is given something.
  void given(worker& to);
  /// The worker is done with a chunk.
  void chunk_ended(const tables& known, worker& which);
  /// Something came back from it.
  void revoked(const tables& known, worker& victim);
  /// The worker holds nothing any more.
  void put_down(worker& which) { set_preempted(which, false); }

  /// Has something revoked. False: there is no reason to, or no victim.
  bool rob(tables& known, bool any_idle);

  /// Whether `rest` wants to be called.
  [[nodiscard]] bool wants_time() const noexcept { return !watched_.empty(); }
  /// Nothing more is due now.
  void rest(tables& known, time_point now);
  void tick(tables& known, time_point now);
  [[nodiscard]] std::optional<time_point> next_deadline(const tables& known) const;

 private:
  [[nodiscard]] static std::size_t may_come_back(const tables& known, const worker& victim,
                                                 const job_state& job);
  void watch(worker& which);
  void set_preempted(worker& which, bool value);

  // By seat, as they were when they were added: that is looked at again when their turn comes.
  seat_queue victims_;         // ready, and has something that can be revoked
  seat_queue watched_;         // has kept something while others were idle
  std::size_t preempted_ = 0;  // workers
};

}  // namespace coterie::detail
