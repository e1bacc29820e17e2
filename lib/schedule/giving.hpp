// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include "messages/identifiers.hpp"
#include "schedule/seat_queue.hpp"
#include "schedule/stealing.hpp"
#include "schedule/tables.hpp"

namespace coterie::detail {

/// Decides which worker is given which items: idle workers first, then those that may prefetch.
/// Pure.
class giving {
 public:
  /// Chunks that a worker holds at most: the one that runs, and the one that is prefetched.
  static constexpr std::size_t max_held = 2;

  explicit giving(std::size_t seats) : idle_{seats}, prefetchers_{seats} {}

  /// To be called for a worker that may have room.
  void offer(const tables& known, const worker& which);
  /// The same for one that has less to do than the others.
  void offer_first(const worker& which);
  /// Gives one worker something. False: there is nothing to give, or no worker for it.
  bool give_some(tables& known, stealing& thefts);
  [[nodiscard]] bool any_idle(const tables& known);

 private:
  [[nodiscard]] static bool has_room(const tables& known, const worker& which);
  bool prefetch(tables& known, stealing& thefts);
  void give(tables& known, stealing& thefts, worker& to, job_id id);
  static void resend(tables& known, const worker& to, job_state& job);

  // By seat, as they were when they were added: that is looked at again when their turn comes.
  seat_queue idle_;         // ready, and holds nothing
  seat_queue prefetchers_;  // ready, holds something and may have more
};

}  // namespace coterie::detail
